package syscalls

import "bytes"

// PeekText copies the string at addr, which ends with a NUL, to b as far as it is memory and
// there is room, and returns how many bytes that are. It allocates nothing.
func PeekText(b []byte, addr uintptr) (n int) {
	for n < len(b) {
		at := addr + uintptr(n)
		part := min(pageSize-int(at%pageSize), len(b)-n)
		from, e := memory(at, uintptr(part))
		if e != 0 {
			return n
		}
		if i := bytes.IndexByte(from, 0); i >= 0 {
			return n + copy(b[n:], from[:i])
		}
		n += copy(b[n:], from)
	}
	return n
}
