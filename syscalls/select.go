package syscalls

import (
	"math/bits"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// What the three sets of Select ask for, and which events count for them, as in
// Linux's fs/select.c.
const (
	pollRdBand = 0x80
	pollWrBand = 0x200

	selectIn  = fs.PollRdNorm | pollRdBand | fs.PollIn | fs.PollHup | fs.PollErr
	selectOut = pollWrBand | fs.PollWrNorm | fs.PollOut | fs.PollErr
	selectEx  = fs.PollPri
)

// Select waits until one of the descriptors below n that are in the sets r, w and
// x is ready: to be read, to be written, or with an exceptional condition. It
// leaves those that are, and returns how many. EBADF: one is not open. A set is nil, or words of 64
// descriptors each. ns is as for Poll.
func (k *Kernel) Select(n int, r, w, x []uint64, ns int64) (int, syscall.Errno) {
	return k.Pselect6(n, r, w, x, ns, nil)
}

// Pselect6 is Select under a mask of signals, as Ppoll has it.
func (k *Kernel) Pselect6(n int, r, w, x []uint64, ns int64, mask *Sigset) (int, syscall.Errno) {
	if n < 0 {
		return -1, syscall.EINVAL
	}
	// What lies beyond the table is not looked at: it begins with 64 descriptors.
	n = min(n, max(64, len(*k.table.slots.Load())))
	words := (n + 63) / 64
	sets := []struct {
		set     []uint64
		ask, is uint32
	}{{r, selectIn, selectIn}, {w, selectOut, selectOut}, {x, selectEx, selectEx}}
	var fds []int32
	var events []int16
	for i := range words {
		all := uint64(0)
		for _, s := range sets {
			if s.set != nil && i >= len(s.set) {
				return -1, syscall.EFAULT
			}
			if s.set != nil {
				all |= s.set[i]
			}
		}
		if rest := n - i*64; rest < 64 {
			all &= 1<<rest - 1
		}
		for ; all != 0; all &= all - 1 {
			at := bits.TrailingZeros64(all)
			ask := uint32(0)
			for _, s := range sets {
				if s.set != nil && s.set[i]>>at&1 != 0 {
					ask |= s.ask
				}
			}
			fds, events = append(fds, int32(i*64+at)), append(events, int16(ask))
		}
	}
	revents := make([]int16, len(fds))
	for _, fd := range fds {
		d, e := k.table.file(int(fd))
		if e != 0 {
			return -1, e
		}
		d.put()
	}
	if _, e := k.Ppoll(fds, events, revents, ns, mask); e != 0 {
		return -1, e
	}
	count := 0
	for _, s := range sets {
		old := append([]uint64(nil), s.set...)
		clear(s.set[:min(len(s.set), words)])
		for i, fd := range fds {
			word, bit := fd/64, uint64(1)<<(fd%64)
			if s.set != nil && old[word]&bit != 0 && uint32(uint16(revents[i]))&s.is != 0 {
				s.set[word] |= bit
				count++
			}
		}
	}
	return count, 0
}
