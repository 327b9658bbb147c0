package amd64

// Where a header of a tar archive has its fields (POSIX, pax, ustar interchange
// format).
const (
	tarBlock = 512

	tarName     = 0 // 100 bytes
	tarSize     = 124
	tarChecksum = 148
	tarType     = 156
	tarMagic    = 257
	tarPrefix   = 345 // 155 bytes
)

// archiveFile returns a file of a tar archive in the ustar format, or nil. Names are
// compared without "./" before them. It runs before there is a heap, and stops at
// the first header that makes no sense.
func archiveFile(b []byte, name string) []byte {
	for len(b) >= tarBlock {
		h := b[:tarBlock]
		sum := 8 * uint64(' ')
		for i, c := range h {
			if i < tarChecksum || i >= tarChecksum+8 {
				sum += uint64(c)
			}
		}
		size, ok := octal(h[tarSize : tarSize+12])
		want, okSum := octal(h[tarChecksum : tarChecksum+8])
		b = b[tarBlock:]
		if !ok || !okSum || sum != want || string(h[tarMagic:tarMagic+5]) != "ustar" || size > uint64(len(b)) {
			return nil
		}
		if t := h[tarType]; (t == '0' || t == 0) && h[tarPrefix] == 0 && tarNamed(h[tarName:tarName+100], name) {
			return b[:size:size]
		}
		b = b[min((size+tarBlock-1)&^(tarBlock-1), uint64(len(b))):]
	}
	return nil
}

// tarNamed reports whether a field has a name.
func tarNamed(field []byte, name string) bool {
	if string(field[:2]) == "./" {
		field = field[2:]
	}
	return len(field) > len(name) && string(field[:len(name)]) == name && field[len(name)] == 0
}

// octal reads a number that ends in a NUL byte or a blank.
func octal(b []byte) (n uint64, ok bool) {
	for i, c := range b {
		switch {
		case c >= '0' && c <= '7':
			n = n<<3 | uint64(c-'0')
		case c == ' ' && !ok && i < len(b)-1: // leading ones
			continue
		default:
			return n, ok && (c == 0 || c == ' ')
		}
		ok = true
	}
	return n, ok
}
