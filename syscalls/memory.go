package syscalls

// Page is what is mapped as a whole.
type Page = [pageSize]byte

const pageSize = 4096 // bytes

// Memory is how pages come to lie at addresses: the page tables of the machine.
// A page may lie at several. Ranges of addresses are given as the bytes there;
// they start on a page and are taken for whole pages. It is used by many
// goroutines, but one range is changed by one at a time.
type Memory interface {
	// Pages returns n zeroed pages, one behind the other, to be mapped. They
	// are the caller's to read and write at that place, too.
	Pages(n int) []byte
	// Reserve returns length bytes of addresses with nothing behind them:
	// whoever touches them faults. ENOMEM: there are no more.
	Reserve(length int) ([]byte, error)
	// Release gives back what Reserve has returned. Nothing is mapped there.
	Release(b []byte)
	// Map puts pages at b, one each, in place of what is there; they can be
	// read, and with write be written. ENOMEM: there is no room for the tables.
	Map(b []byte, pages []*Page, write bool) error
	// Unmap takes away what is at b. It calls stored for the pages, by their
	// number in b, that were written there since Map or the last Stored with
	// clear. When it returns, nobody reads or writes them there any more.
	Unmap(b []byte, stored func(page int))
	// Stored calls stored likewise. With clear it starts anew: what is written
	// later is told the next time, even if it is written during the call.
	Stored(b []byte, clear bool, stored func(page int))
}
