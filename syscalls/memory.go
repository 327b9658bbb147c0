package syscalls

// Page is what is mapped as a whole.
type Page = [pageSize]byte

const pageSize = 4096 // bytes

// Memory is how pages come to lie at addresses: the page tables of the machine.
// A page of a file may lie at several; those of anonymous mappings belong to their
// address, and are made, zeroed, when they are touched. Ranges of addresses are
// given as the bytes there; they start on a page and are taken for whole pages. It
// is used by many goroutines, but one range is changed by one at a time. What is
// forbidden faults. ENOMEM: there is no room for the tables.
type Memory interface {
	// Bounds are the first address for mappings and the one behind the last. All
	// between them are one Kernel's.
	Bounds() (low, high uintptr)

	// Pages returns n zeroed pages, one behind the other, to be mapped. They
	// are the caller's to read and write at that place, too.
	Pages(n int) []byte
	// Map puts pages at b, one each, in place of what is there.
	Map(b []byte, pages []*Page, prot int) error
	// Unmap takes away what is at b. It calls stored for the pages put there by
	// Map, by their number in b, that were written there since then or since the
	// last Stored with clear. When it returns, nobody reads or writes them there
	// any more.
	Unmap(b []byte, stored func(page int)) error
	// Stored calls stored likewise. With clear it starts anew: what is written
	// later is told the next time, even if it is written during the call.
	Stored(b []byte, clear bool, stored func(page int))

	// Protect gives the anonymous mapping at b a protection. Where nothing is
	// mapped it makes one.
	Protect(b []byte, prot int) error
	// Discard takes the pages of the anonymous mapping at b away: it is as new.
	Discard(b []byte)
	// Resident calls f for the pages of the anonymous mapping at b that are there.
	Resident(b []byte, f func(page int))
	// Populate makes those that may be accessed. ENOMEM: not all.
	Populate(b []byte) error
	// Move has the pages of the anonymous mapping at from lie at to, another one,
	// untouched, of the same length.
	Move(to, from []byte) error
}
