package tty

// queueSize is how many bytes of input wait for the program at most (MAX_INPUT
// as Linux has it, and one): a line that is longer is cut.
const queueSize = 4096

// queue is the input: lines, and behind them what is still being edited. Without
// canonical mode there are no lines.
type queue struct {
	buf  [queueSize]byte
	ends [queueSize / 64]uint64 // places where a line ends

	// Positions only grow; a place in buf is one modulo queueSize.
	tail uint // the next byte for the program
	line uint // where the line begins that is being edited
	head uint // where the next byte goes
}

func (q *queue) at(pos uint) byte { return q.buf[pos%queueSize] }

// put adds a byte if there is a place for it.
func (q *queue) put(c byte) {
	if q.held() >= queueSize {
		return
	}
	q.buf[q.head%queueSize] = c
	q.setEnd(q.head, false)
	q.head++
}

// endLine puts the last byte of a line. One of disabled is not for the program:
// it stands for an end of the file.
func (q *queue) endLine(c byte) {
	q.put(c)
	q.setEnd(q.head-1, true)
	q.line = q.head
}

func (q *queue) isEnd(pos uint) bool { return q.ends[pos%queueSize/64]>>(pos%64)&1 != 0 }

func (q *queue) setEnd(pos uint, end bool) {
	w, bit := &q.ends[pos%queueSize/64], uint64(1)<<(pos%64)
	if *w &^= bit; end {
		*w |= bit
	}
}

// isEOF reports whether an end of the file, and no byte, is at pos.
func (q *queue) isEOF(pos uint) bool { return q.isEnd(pos) && q.at(pos) == disabled }

func (q *queue) flush() { q.tail, q.line = q.head, q.head }

// held is how many bytes there are, those that are being edited too.
func (q *queue) held() int { return int(q.head - q.tail) }

// lines is how many bytes of whole lines there are, without ends of the file.
func (q *queue) lines() int {
	n := 0
	for pos := q.tail; pos != q.line; pos++ {
		if !q.isEOF(pos) {
			n++
		}
	}
	return n
}

// readLine takes bytes of the first line, at most len(p). Whole: it is at its end.
func (q *queue) readLine(p []byte) (n int, whole bool) {
	for n < len(p) && q.tail != q.line {
		pos := q.tail
		q.tail++
		end := q.isEnd(pos)
		if !q.isEOF(pos) {
			p[n] = q.at(pos)
			n++
		}
		q.setEnd(pos, false)
		if end {
			return n, true
		}
	}
	// An end of the file right behind what p had room for is no line of its own.
	if n > 0 && q.tail != q.line && q.isEOF(q.tail) {
		q.setEnd(q.tail, false)
		q.tail++
		return n, true
	}
	return n, false
}

// read takes bytes, whatever they are.
func (q *queue) read(p []byte) int {
	n := 0
	for n < len(p) && q.tail != q.head {
		p[n] = q.at(q.tail)
		q.tail++
		n++
	}
	return n
}

// setLines is called when canonical mode begins: what is there becomes a line.
func (q *queue) setLines() {
	clear(q.ends[:])
	q.line = q.tail
	if q.head != q.tail {
		q.setEnd(q.head-1, true)
		q.line = q.head
	}
}

// dropLines is called when canonical mode ends.
func (q *queue) dropLines() {
	clear(q.ends[:])
	q.line = q.tail
}
