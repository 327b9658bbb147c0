package syscalls

import "math/bits"

// fdSet is the set of the descriptors in use. The lowest that is free is found
// with a look at few words, however many there are.
type fdSet struct {
	used []uint64 // a bit for each descriptor
	full []uint64 // a bit for each word of used that has no free one
}

// firstFree returns the lowest descriptor from from on that is not in s.
func (s *fdSet) firstFree(from int) int {
	w := from / 64
	if w >= len(s.used) {
		return from
	}
	if free := ^s.used[w] >> (from % 64); free != 0 {
		return from + bits.TrailingZeros64(free)
	}
	w++
	for i := w / 64; i < len(s.full); i++ {
		free := ^s.full[i]
		if i == w/64 {
			free = free >> (w % 64) << (w % 64)
		}
		if free == 0 {
			continue
		}
		if w = 64*i + bits.TrailingZeros64(free); w < len(s.used) {
			return 64*w + bits.TrailingZeros64(^s.used[w])
		}
		break
	}
	return 64 * max(w, len(s.used))
}

func (s *fdSet) add(fd int) {
	w := fd / 64
	for w >= len(s.used) {
		s.used = append(s.used, 0)
	}
	for w/64 >= len(s.full) {
		s.full = append(s.full, 0)
	}
	if s.used[w] |= 1 << (fd % 64); s.used[w] == ^uint64(0) {
		s.full[w/64] |= 1 << (w % 64)
	}
}

func (s *fdSet) remove(fd int) {
	w := fd / 64
	s.used[w] &^= 1 << (fd % 64)
	s.full[w/64] &^= 1 << (w % 64)
}
