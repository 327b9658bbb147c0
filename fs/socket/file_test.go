package socket

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// halfway is a Socket that moves a part of what is asked for, and fails then. The error
// is told once, as SO_ERROR's is.
type halfway struct {
	Socket
	moved, told int
}

func (h *halfway) move() (int, error) {
	if h.moved == 0 {
		h.moved = 5
		return 5, nil
	}
	h.told++
	if h.told > 1 {
		return 0, syscall.EPIPE
	}
	return 0, syscall.ECONNRESET
}

func (h *halfway) Send(*Message) (int, error)  { return h.move() }
func (h *halfway) Recv(*Message) (int, error)  { return h.move() }
func (h *halfway) Watch(*fs.Waiter) bool       { return true }
func (h *halfway) Readable() (int, error)      { return 0, nil }
func (h *halfway) SetInode(uint64)             {}
func (h *halfway) Poll(uint32) (uint32, error) { return h.poll(), nil }
func (h *halfway) poll() uint32 {
	if h.moved > 0 && h.told == 0 {
		return fs.PollErr
	}
	return 0
}

// TestErrorIsNotLost: what a call has moved before an error is its answer, and the error
// that of the next call.
func TestErrorIsNotLost(t *testing.T) {
	for name, call := range map[string]func(f *File, m *Message) (int, error){
		"send": func(f *File, m *Message) (int, error) { return f.Transmit(m, nil) },
		"receive": func(f *File, m *Message) (int, error) {
			m.Flags = syscall.MSG_WAITALL
			return f.Receive(m, nil)
		},
	} {
		f := NewFile(&halfway{}, NewNode(1), syscall.AF_INET, syscall.SOCK_STREAM, 0)
		m := &Message{Buffers: [][]byte{make([]byte, 10)}}
		if n, err := call(f, m); n != 5 || err != nil {
			t.Errorf("%s: %d, %v, want 5 and no error", name, n, err)
		}
		if n, err := call(f, m); n != 0 || err != syscall.ECONNRESET {
			t.Errorf("%s once more: %d, %v, want ECONNRESET", name, n, err)
		}
	}
}
