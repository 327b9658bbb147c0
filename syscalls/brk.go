package syscalls

import "syscall"

// brkRoom is how many bytes are kept free for the break when it is first asked for.
const brkRoom = 1 << 36

// Brk has the program's data end at addr, if it can, and returns where it ends: no
// less than where it began. It begins where nothing is, as the Go runtime has no use
// for it.
func (k *Kernel) Brk(addr uintptr) uintptr {
	if k.Memory == nil {
		return 0
	}
	l := &k.maps
	l.change.Lock()
	defer l.change.Unlock()
	b := &l.brk
	if b.start == 0 {
		b.start, _ = k.Memory.Bounds()
		b.end = b.start
	}
	was, _ := pages(int(b.end - b.start))
	size, ok := pages(int(addr - b.start))
	if addr < b.start || !ok || size > brkRoom || !k.inBounds(b.start, size) || k.MemoryTotal > 0 && int64(size) > k.MemoryTotal {
		return b.end
	}
	from, to := b.start+uintptr(was), b.start+uintptr(size)
	if size < was {
		l.carve(to, from) // anonymous: there is nothing to finish
	} else if size > was {
		list, _ := l.within(from, to)
		if len(list) > 0 || l.exceeds(size-was, 0, 0) || l.add(&mapping{maps: l, mem: k.Memory}, from, size-was, protRead|protWrite) != syscall.Errno(0) {
			return b.end
		}
	}
	b.end = addr
	return b.end
}
