package tty

// process appends bytes of the program to b as the output modes have them, as
// many as room bytes have room for. It returns how many those are.
func (d *discipline) process(b, p []byte, room int) ([]byte, int) {
	if !d.posts() {
		n := min(len(p), room)
		return append(b, p[:n]...), n
	}
	limit := len(b) + room
	for i, c := range p {
		var ok bool
		if b, ok = d.post(b, c, limit); !ok {
			return b, i
		}
	}
	return b, len(p)
}

// posts reports whether the output modes are done here.
func (d *discipline) posts() bool { return d.termios.o(OPOST) && !d.cooked }

// post appends what c becomes under OPOST, and keeps account of the column. It
// appends nothing, and returns false, if b would be longer than limit.
func (d *discipline) post(b []byte, c byte, limit int) ([]byte, bool) {
	t := &d.termios
	if len(b) >= limit {
		return b, false
	}
	switch c {
	case '\n':
		if t.o(ONLCR) {
			if len(b)+2 > limit {
				return b, false
			}
			d.column, d.lineColumn = 0, 0
			return append(b, '\r', '\n'), true
		}
		if t.o(ONLRET) {
			d.column = 0
		}
		d.lineColumn = d.column
	case '\r':
		if t.o(ONOCR) && d.column == 0 {
			return b, true
		}
		if t.o(OCRNL) {
			c = '\n'
		}
		if c == '\r' || t.o(ONLRET) {
			d.column, d.lineColumn = 0, 0
		}
	case '\t':
		spaces := 8 - d.column%8
		if t.Oflag&TABDLY == XTABS {
			if len(b)+spaces > limit {
				return b, false
			}
			d.column += spaces
			return append(b, "        "[:spaces]...), true
		}
		d.column += spaces
	case '\b':
		d.column = max(d.column-1, 0)
	default:
		if isControl(c) {
			break
		}
		if t.o(OLCUC) {
			c = upper(c)
		}
		if !d.continues(c) {
			d.column++
		}
	}
	return append(b, c), true
}

// continues reports whether c is a further byte of a character in UTF-8.
func (d *discipline) continues(c byte) bool { return d.termios.i(IUTF8) && c&0xc0 == 0x80 }

// The kinds of characters are those of Latin 1, as in Linux.

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0xc0 && c != 0xd7 && c != 0xf7
}

func isWord(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c == '_' }

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' || c >= 0xdf && c != 0xf7 {
		return c - 0x20
	}
	return c
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' || c >= 0xc0 && c <= 0xde && c != 0xd7 {
		return c + 0x20
	}
	return c
}
