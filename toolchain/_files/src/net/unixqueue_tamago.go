//go:build tamago

package net

import (
	"io"
	"os"
	"sync"
	"syscall"
)

// unixQueue is what waits to be read from a Unix socket.
type unixQueue struct {
	stream bool // bytes, not messages

	mu       sync.Mutex
	messages []unixMessage
	size     int // bytes that the messages take
	// eof: nobody will write any more. shut: nobody will read any more. reset:
	// what the reader is told then, nil for an end.
	eof, shut bool
	reset     error
	changed   chan struct{} // closed, and forgotten, at the next change; may be nil
}

// unixMessage is a message, or some bytes of a stream.
type unixMessage struct {
	data []byte
	from *UnixAddr // nil: of a socket without a name
}

const (
	// unixBuffer is how many bytes a queue takes, as net.core.wmem_default, and
	// so the longest message.
	unixBuffer = 212992
	// unixOverhead is what a message takes besides its bytes.
	unixOverhead = 256
	// unixChunk is how many bytes of a stream are in one message.
	unixChunk = 64 << 10
)

// change wakes who waits. q.mu is held.
func (q *unixQueue) change() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// wait waits for a change. q.mu is held, but not meanwhile.
func (q *unixQueue) wait(deadline *pipeDeadline) error {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-deadline.wait():
		return os.ErrDeadlineExceeded
	}
}

// read takes one message, what has no room in p is lost, or of a stream as many
// bytes as there are.
func (q *unixQueue) read(p []byte, deadline *pipeDeadline) (n int, from *UnixAddr, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if isClosedChan(deadline.wait()) {
		return 0, nil, os.ErrDeadlineExceeded
	}
	if q.stream && len(p) == 0 {
		return 0, nil, nil
	}
	for len(q.messages) == 0 {
		switch {
		case q.reset != nil:
			err, q.reset, q.eof = q.reset, nil, true // it is told once
			return 0, nil, os.NewSyscallError("read", err)
		case q.eof || q.shut:
			return 0, nil, io.EOF
		}
		if err := q.wait(deadline); err != nil {
			return 0, nil, err
		}
	}
	from = q.messages[0].from
	for len(q.messages) > 0 && (n < len(p) || !q.stream) {
		m := &q.messages[0]
		k := copy(p[n:], m.data)
		n += k
		if q.stream && k < len(m.data) {
			m.data = m.data[k:]
			q.size -= k
			break
		}
		q.size -= len(m.data) + unixOverhead
		*m = unixMessage{}
		q.messages = q.messages[1:]
		if !q.stream {
			break
		}
	}
	q.change()
	return n, from, nil
}

// write adds p: a message in one piece, of a stream bit by bit as there is room.
func (q *unixQueue) write(p []byte, from *UnixAddr, deadline *pipeDeadline) (n int, err error) {
	if !q.stream && len(p) > unixBuffer-unixOverhead {
		return 0, syscall.EMSGSIZE
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for first := true; first && !q.stream || n < len(p); first = false {
		part := p[n:min(len(p), n+unixChunk)]
		if !q.stream {
			part = p
		}
		for {
			if isClosedChan(deadline.wait()) {
				return n, os.ErrDeadlineExceeded
			}
			if q.shut || q.eof {
				return n, syscall.EPIPE
			}
			if q.size == 0 || q.size+len(part)+unixOverhead <= unixBuffer {
				break
			}
			if err := q.wait(deadline); err != nil {
				return n, err
			}
		}
		q.messages = append(q.messages, unixMessage{append([]byte(nil), part...), from})
		q.size += len(part) + unixOverhead
		n += len(part)
		q.change()
	}
	return n, nil
}

// end has the reader find an end, or the error reset, behind what is there.
func (q *unixQueue) end(reset error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.eof {
		q.eof, q.reset = true, reset
	}
	q.change()
}

// shutdown has the writer fail from now on. It reports whether something was
// left unread, and drops it if the reader is gone.
func (q *unixQueue) shutdown(gone bool) (unread bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shut = true
	unread = len(q.messages) > 0
	if gone {
		q.messages, q.size = nil, 0
	}
	q.change()
	return unread
}
