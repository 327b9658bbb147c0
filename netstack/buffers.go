package netstack

import "io"

// buffers are those of a Message: the stack reads what is sent from them
// (tcpip.Payloader), and writes what has come to them.
type buffers struct {
	bufs [][]byte
	size int // what is left
}

func newBuffers(bufs [][]byte) buffers {
	b := buffers{bufs: bufs}
	for _, p := range bufs {
		b.size += len(p)
	}
	return b
}

// Len implements tcpip.Payloader.
func (b *buffers) Len() int { return b.size }

// next returns what is left of the first buffer that is not done, at most max
// bytes, and goes on behind it.
func (b *buffers) next(max int) []byte {
	for len(b.bufs) > 0 && len(b.bufs[0]) == 0 {
		b.bufs = b.bufs[1:]
	}
	if len(b.bufs) == 0 {
		return nil
	}
	p := b.bufs[0]
	if len(p) > max {
		// The caller's slice is not to change: one of our own.
		b.bufs = append([][]byte{p[max:]}, b.bufs[1:]...)
		p = p[:max]
	} else {
		b.bufs = b.bufs[1:]
	}
	b.size -= len(p)
	return p
}

// Read implements io.Reader.
func (b *buffers) Read(p []byte) (n int, err error) {
	for n < len(p) {
		part := b.next(len(p) - n)
		if part == nil {
			break
		}
		n += copy(p[n:], part)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Write implements io.Writer. What does not fit is an error.
func (b *buffers) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := b.next(len(p) - n)
		if part == nil {
			return n, io.ErrShortWrite
		}
		n += copy(part, p[n:])
	}
	return n, nil
}

// discard takes size bytes and forgets them.
type discard struct{ size int }

func (d *discard) Write(p []byte) (int, error) {
	if len(p) > d.size {
		n := d.size
		d.size = 0
		return n, io.ErrShortWrite
	}
	d.size -= len(p)
	return len(p), nil
}
