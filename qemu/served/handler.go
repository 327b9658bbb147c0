package served

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/qemu/vhostuser"
)

// Handler stands between a device and a server of FUSE, and writes a record of each request that has a
// reply.
type Handler struct {
	vhostuser.Handler
	pipe int // does not block
	lost atomic.Uint32
}

// NewHandler returns what stands before h, and writes to the descriptor of a pipe, which is its own from
// now on.
func NewHandler(h vhostuser.Handler, pipe int) (*Handler, error) {
	return &Handler{Handler: h, pipe: pipe}, unix.SetNonblock(pipe, true)
}

// Handle implements vhostuser.Handler.
func (h *Handler) Handle(in, out [][]byte, detach func()) int {
	from := now()
	// The guest may change the header; then it is told nonsense of its own request.
	var head [fuse.InHeaderSize]byte
	rest := head[:]
	for _, p := range in {
		rest = rest[copy(rest, p):]
	}
	n := h.Handler.Handle(in, out, detach)
	var request fuse.InHeader
	if n == 0 || len(rest) > 0 || request.Decode(head[:]) != nil {
		return n
	}
	var b [Size]byte
	record := Record{Unique: request.Unique, Opcode: request.Opcode, From: from, To: now(), Lost: h.lost.Load()}
	if _, err := unix.Write(h.pipe, record.AppendTo(b[:0])); err != nil {
		h.lost.Add(1)
	}
	return n
}

// now is CLOCK_MONOTONIC, in nanoseconds.
func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // Linux has it
	return t.Nano()
}
