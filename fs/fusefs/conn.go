package fusefs

import (
	"errors"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Sizes of the buffers inside a request, in bytes. Requests with longer names
// (symlink targets) grow onto the heap.
const (
	inStoreSize  = 768
	outStoreSize = 512
)

// request is one message under construction and the room for its reply. It
// comes from FS.request and goes back with FS.done; decoded replies must not
// be used after that.
type request struct {
	op     uint32
	nodeid uint64
	unique uint64
	buf    []byte // header, arguments, names
	in     [3][]byte
	out    [2][]byte
	cancel <-chan struct{} // closed: send INTERRUPT
	failed bool            // the server has answered with an error
	begun  time.Time       // zero: its time is not measured

	inStore  [inStoreSize]byte
	outStore [outStoreSize]byte
}

// request starts a message; the caller appends the arguments to buf.
func (f *FS) request(op uint32, nodeid uint64) *request {
	r := f.requests.Get().(*request)
	r.op, r.nodeid = op, nodeid
	r.buf = r.inStore[:fuse.InHeaderSize]
	return r
}

func (f *FS) done(r *request) {
	r.buf, r.cancel = nil, nil
	f.requests.Put(r)
}

// name appends a name or path with its final NUL.
func (r *request) name(s string) {
	r.buf = append(append(r.buf, s...), 0)
}

// newUnique returns an id for a request. Ids are even, as Linux's: the odd one
// behind each is free for an INTERRUPT of it.
func (f *FS) newUnique() uint64 { return f.unique.Add(2) }

// seal writes the header in front of the arguments for a message with extra
// more bytes behind buf.
func (f *FS) seal(r *request, extra int) {
	r.unique = f.newUnique()
	h := fuse.InHeader{
		Len: uint32(len(r.buf) + extra), Opcode: r.op, Unique: r.unique, Nodeid: r.nodeid,
		Uid: f.uid.Load(), Gid: f.gid.Load(), Pid: f.pid.Load(),
	}
	h.AppendTo(r.buf[:0])
}

// call sends r and returns the body of the reply, which has at least size
// bytes; it lies in r.
func (f *FS) call(r *request, size int) ([]byte, error) {
	n, err := f.exchange(r, nil, nil, size, size)
	if err != nil {
		return nil, err
	}
	return r.outStore[fuse.OutHeaderSize:][:n], nil
}

// exchange sends r with payload behind it and waits for the reply. The body
// of the reply goes to fixed bytes of r.outStore behind the header and then to
// room. It must have min bytes or more; its length is returned. The server's
// errno, ENODEV after Close, and EIO for a broken reply or device are the
// errors. A server that lacks descriptors or space may be asked again.
func (f *FS) exchange(r *request, payload, room []byte, fixed, min int) (int, error) {
	f.makeRoom(r.op)
	var a attempt
	for {
		a.shrunk = f.files.shrunk.Load()
		n, err := f.exchangeOnce(r, payload, room, fixed, min)
		if !r.failed || !f.again(r.op, err, &a) {
			return n, a.result(err)
		}
	}
}

func (f *FS) exchangeOnce(r *request, payload, room []byte, fixed, min int) (int, error) {
	in, out, err := f.lay(r, payload, room, fixed)
	if err != nil {
		return 0, err
	}
	if r.cancel != nil {
		defer f.watch(r.unique, r.cancel)()
	}
	n, err := f.t.RoundTrip(in, out)
	return f.take(r, n, err, fixed+len(room), min)
}

// lay makes the parts of the message for exchange, and counts it.
func (f *FS) lay(r *request, payload, room []byte, fixed int) (in, out [][]byte, err error) {
	if f.closed.Load() {
		return nil, nil, syscall.ENODEV
	}
	r.failed = false
	f.seal(r, len(payload))
	in = append(r.in[:0], r.buf)
	if len(payload) > 0 {
		// A header of its own and arguments of their own, then the data: some
		// servers take the data from where it lies only in this form.
		in = append(r.in[:0], r.buf[:fuse.InHeaderSize], r.buf[fuse.InHeaderSize:], payload)
	}
	out = append(r.out[:0], r.outStore[:fuse.OutHeaderSize+fixed])
	if len(room) > 0 {
		out = append(out, room)
	}
	f.stats[r.op].count(len(r.buf) + len(payload))
	r.begun = time.Time{}
	if f.measuring.Load() {
		r.begun = time.Now()
	}
	return in, out, nil
}

// take takes what the transport has returned for r: n bytes in room for size
// behind the header, or an error.
func (f *FS) take(r *request, n int, err error, size, min int) (int, error) {
	r.in, r.out = [3][]byte{}, [2][]byte{}
	body := 0
	if err != nil {
		err = f.deviceError(r.op, err)
	} else {
		f.stats[r.op].received.Add(uint64(max(n, 0)))
		if !r.begun.IsZero() {
			f.stats[r.op].observe(time.Since(r.begun))
		}
		body, err = f.checkReply(r, n, size, min)
	}
	if err != nil {
		f.stats[r.op].errors.Add(1)
	}
	return body, err
}

// checkReply checks a reply of which the device says that it has n bytes, in
// room for size bytes behind the header, and returns the length of its body.
func (f *FS) checkReply(r *request, n, size, min int) (int, error) {
	if n == 0 && r.op == fuse.FUSE_DESTROY {
		return 0, nil // a server may end without a word, as virtiofsd in Rust does
	}
	if n < fuse.OutHeaderSize {
		return 0, f.badReply(r.op, "used length", uint64(max(n, 0)), "is shorter than the reply header of 16 bytes")
	}
	if n > fuse.OutHeaderSize+size {
		return 0, f.badReply(r.op, "used length", uint64(n), "is longer than the room given")
	}
	var h fuse.OutHeader
	if h.Decode(r.outStore[:fuse.OutHeaderSize]) != nil {
		return 0, syscall.EIO
	}
	if h.Unique != r.unique {
		return 0, f.badReply(r.op, "unique", h.Unique, "is not that of the request")
	}
	if h.Len < fuse.OutHeaderSize {
		return 0, f.badReply(r.op, "len", uint64(h.Len), "is below the reply header of 16 bytes")
	}
	if uint64(h.Len) > uint64(n) {
		return 0, f.badReply(r.op, "len", uint64(h.Len), "is longer than what the device wrote")
	}
	if h.Error != 0 {
		if h.Error > 0 || h.Error <= -512 {
			return 0, f.badReply(r.op, "error", uint64(uint32(h.Error)), "is not a negative errno")
		}
		r.failed = true
		return 0, syscall.Errno(-h.Error)
	}
	body := int(h.Len) - fuse.OutHeaderSize
	if body < min {
		return 0, f.badReply(r.op, "len", uint64(h.Len), "is too short for the operation")
	}
	return body, nil
}

// badReply logs a reply that breaks the protocol and returns EIO.
func (f *FS) badReply(op uint32, field string, value uint64, what string) error {
	if f.mayLog() {
		f.opts.Logf("%s: FUSE %s reply: %s %d %s", f.t.Name(), fuse.OpName(op), field, value, what)
	}
	return syscall.EIO
}

// badName is badReply for bytes where a name or path should be.
func (f *FS) badName(op uint32, field string, value []byte, what string) error {
	if f.mayLog() {
		if len(value) > fs.NameMax {
			value = value[:fs.NameMax]
		}
		f.opts.Logf("%s: FUSE %s reply: %s %q %s", f.t.Name(), fuse.OpName(op), field, value, what)
	}
	return syscall.EIO
}

// deviceError turns an error of the transport into an errno.
func (f *FS) deviceError(op uint32, err error) error {
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	// That the server is gone is said once, by who has noticed it.
	if !errors.Is(err, fuse.ErrServerEnded) && f.mayLog() {
		f.opts.Logf("%s: FUSE %s: %v", f.t.Name(), fuse.OpName(op), err)
	}
	return syscall.EIO
}

// mayLog counts a fault and says whether to log it: a server that goes on and
// on must not fill the log.
func (f *FS) mayLog() bool {
	n := f.broken.Add(1)
	return f.opts.Logf != nil && (n <= 64 || n&(n-1) == 0)
}

// checkName says whether name may be sent as one component.
func checkName(name string) error {
	switch {
	case name == "":
		return syscall.ENOENT
	case len(name) > fs.NameMax:
		return syscall.ENAMETOOLONG
	case name == "." || name == "..":
		return syscall.EINVAL
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' || name[i] == 0 {
			return syscall.EINVAL
		}
	}
	return nil
}
