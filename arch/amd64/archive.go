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
	for {
		h, data, rest := nextFile(b)
		if h == nil {
			return nil
		}
		if t := h[tarType]; (t == '0' || t == 0) && h[tarPrefix] == 0 && tarNamed(h[tarName:tarName+100], name) {
			return data
		}
		b = rest
	}
}

// nextFile returns the header and the contents of the file that an archive begins with, and what is
// behind them; no header: it makes no sense, or is not there.
func nextFile(b []byte) (h, data, rest []byte) {
	if len(b) < tarBlock {
		return nil, nil, b
	}
	h = b[:tarBlock]
	sum := 8 * uint64(' ')
	for i, c := range h {
		if i < tarChecksum || i >= tarChecksum+8 {
			sum += uint64(c)
		}
	}
	size, ok := octal(h[tarSize : tarSize+12])
	want, okSum := octal(h[tarChecksum : tarChecksum+8])
	data = b[tarBlock:]
	if !ok || !okSum || sum != want || string(h[tarMagic:tarMagic+5]) != "ustar" || size > uint64(len(data)) {
		return nil, nil, b
	}
	return h, data[:size:size], data[min((size+tarBlock-1)&^(tarBlock-1), uint64(len(data))):]
}

// brokenAt returns where in an archive the first header is that makes no sense; -1: it ends as it should, with
// zeroes or its last file.
func brokenAt(archive []byte) int {
	for b := archive; ; {
		h, _, rest := nextFile(b)
		if h != nil {
			b = rest
			continue
		}
		for _, c := range b[:min(tarBlock, len(b))] {
			if c != 0 {
				return len(archive) - len(b)
			}
		}
		return -1
	}
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
