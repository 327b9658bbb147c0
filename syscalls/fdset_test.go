package syscalls

import (
	"math/rand/v2"
	"testing"
)

// TestFdSet compares it with a plain search, where it is full, where it has
// holes and behind its end.
func TestFdSet(t *testing.T) {
	const size = 3 * 64 * 64
	r := rand.New(rand.NewPCG(1, 1))
	var s fdSet
	in := make([]bool, 2*size)
	plain := func(from int) int {
		for in[from] {
			from++
		}
		return from
	}
	check := func(from int) {
		t.Helper()
		if got, want := s.firstFree(from), plain(from); got != want {
			t.Fatalf("first free from %d: %d, want %d", from, got, want)
		}
	}
	check(0)
	check(1000)
	for range 20 {
		for fd := s.firstFree(0); fd < size; fd = s.firstFree(0) {
			check(0)
			s.add(fd)
			in[fd] = true
		}
		for _, from := range []int{0, 1, 63, 64, 4095, 4096, size - 1, size, size + 100} {
			check(from)
		}
		for range r.IntN(200) {
			fd := r.IntN(size)
			if in[fd] {
				s.remove(fd)
				in[fd] = false
			}
		}
		for range 300 {
			check(r.IntN(size + 200))
		}
		fd := size + r.IntN(300)
		s.add(fd)
		in[fd] = true
		check(size)
	}
}
