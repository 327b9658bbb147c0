package amd64

// unquote splits a kernel command line into words: those before the word "--" are
// the kernel's, those behind it the program's arguments. It writes both to dst,
// which needs len(line)+1 bytes, each word ended by NUL. It runs before there is a
// heap.
//
// Blanks separate words. '...' stands for what is between the marks, "..." too, but
// that \" and \\ in it stand for the second byte; elsewhere \ and a byte stand for
// the byte. Marks may be in the midst of a word, and one that nothing closes goes to
// the end of the line: it is open. A NUL byte ends the line.
func unquote(dst, line []byte) (own, args []byte, open byte) {
	n, split := 0, -1
	begun, plain := false, true // in a word; one without marks
	start := 0                  // of the word
	mark := byte(0)             // the one that is open
	end := func() {
		if !begun {
			return
		}
		if split < 0 && plain && n-start == 2 && dst[start] == '-' && dst[start+1] == '-' {
			n, split = start, start
		} else {
			dst[n] = 0
			n++
		}
		begun, plain = false, true
	}
	put := func(c byte) {
		if !begun {
			begun, start = true, n
		}
		dst[n] = c
		n++
	}
	for i := 0; i < len(line) && line[i] != 0; i++ {
		c := line[i]
		more := i+1 < len(line) && line[i+1] != 0
		switch {
		case mark == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			end()
		case mark == 0 && (c == '"' || c == '\''):
			if !begun {
				begun, start = true, n
			}
			mark, plain = c, false
		case c == mark:
			mark = 0
		case c == '\\' && mark == 0 && more, c == '\\' && mark == '"' && more && (line[i+1] == '"' || line[i+1] == '\\'):
			i++
			put(line[i])
			plain = false
		default:
			put(c)
		}
	}
	end()
	if split < 0 {
		return dst[:n], dst[n:n], mark
	}
	return dst[:split], dst[split:n], mark
}

// splitWords makes strings of words that are ended by NUL.
func splitWords(b []byte) (list []string) {
	for start, i := 0, 0; i < len(b); i++ {
		if b[i] == 0 {
			list = append(list, string(b[start:i]))
			start = i + 1
		}
	}
	return list
}

// appendValues appends to dst what follows prefix in each word that begins with it,
// ended by NUL. dst has room for all of words.
func appendValues(dst, words []byte, prefix string) []byte {
	for start, i := 0, 0; i < len(words); i++ {
		if words[i] != 0 {
			continue
		}
		if w := words[start : i+1]; len(w) > len(prefix) && string(w[:len(prefix)]) == prefix {
			dst = append(dst, w[len(prefix):]...)
		}
		start = i + 1
	}
	return dst
}
