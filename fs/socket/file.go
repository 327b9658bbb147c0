package socket

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// File is the open file of a Socket: reads and writes are Recv and Send, and those
// that have to wait do.
type File struct {
	fs.UnsupportedFile
	Socket
	node *Node

	Domain, Type, Protocol int // as of socket(2); Type without flags

	// Timeouts are SO_RCVTIMEO and SO_SNDTIMEO, in nanoseconds; 0: none.
	Timeouts [2]atomic.Int64
}

var _ interface {
	fs.File
	fs.Interruptible
	fs.NotifyFile
} = (*File)(nil)

// Directions: of Timeouts, and of what waits.
const (
	In  = 0
	Out = 1
)

// NewFile makes the file of s, whose node is n.
func NewFile(s Socket, n *Node, domain, typ, protocol int) *File {
	if s, ok := s.(Numbered); ok {
		s.SetInode(n.ino)
	}
	return &File{Socket: s, node: n, Domain: domain, Type: typ, Protocol: protocol}
}

// Await runs try until it answers something else than EAGAIN. In between it waits
// until the socket says that it is worth another try: EINTR if end is closed first,
// EAGAIN when the timeout of the direction is over.
func (f *File) Await(direction int, end <-chan struct{}, try func() error) error {
	return fs.Await(f.Socket, awaited[direction], end, time.Duration(f.Timeouts[direction].Load()), try)
}

// awaited is what a socket tells to who waits in a direction.
var awaited = [2]uint32{In: fs.PollReads, Out: fs.PollWrites}

// Ready waits until a Recv or Send is worth a try. EINTR: end is closed.
func (f *File) Ready(direction int, end <-chan struct{}) error {
	events := uint32(fs.PollIn | fs.PollErr | fs.PollHup)
	if direction == Out {
		events ^= fs.PollIn | fs.PollOut
	}
	return fs.Await(f.Socket, awaited[direction], end, 0, func() error {
		now, err := f.Poll(events)
		if err != nil {
			return err
		}
		if w, ok := f.Socket.(Waiting); now == 0 || now == fs.PollOut && ok && !w.CanSend() {
			return syscall.EAGAIN
		}
		return nil
	})
}

// Dial is connect(2): it waits until the connection is made or has failed.
func (f *File) Dial(addr []byte, end <-chan struct{}) error {
	err := f.Await(Out, end, func() error { return f.Connect(addr) })
	if err != syscall.EINPROGRESS && err != syscall.EALREADY || atOnce(end) {
		return err
	}
	err = f.Await(Out, end, func() error {
		now, err := f.Poll(fs.PollOut | fs.PollErr | fs.PollHup)
		if err == nil && now == 0 {
			err = syscall.EAGAIN
		}
		return err
	})
	switch err {
	case nil:
		var e [4]byte
		if _, err := f.Socket.Option(syscall.SOL_SOCKET, syscall.SO_ERROR, e[:]); err != nil {
			return err
		}
		if n := binary.NativeEndian.Uint32(e[:]); n != 0 {
			return syscall.Errno(n)
		}
		// Who waited has been told, so that one more call is EISCONN.
		if err := f.Connect(addr); err != syscall.EISCONN {
			return err
		}
		return nil
	case syscall.EAGAIN:
		return syscall.EINPROGRESS
	}
	return err
}

// atOnce tells if who has end for the end of waiting does not want to wait.
func atOnce(end <-chan struct{}) bool {
	select {
	case <-end:
		return true
	default:
		return false
	}
}

// Receive is recvmsg(2): it waits for something, and with MSG_WAITALL for a stream's
// Buffers to be full.
func (f *File) Receive(m *Message, end <-chan struct{}) (n int, err error) {
	flags, all := m.Flags, m.Buffers
	defer func() { m.Buffers = all }()
	if atOnce(end) {
		flags |= syscall.MSG_DONTWAIT
	}
	for {
		got := 0
		err := f.Await(In, end, func() (err error) {
			if n > 0 && f.failed() {
				if left, err := f.Readable(); err != nil || left == 0 {
					return errLater
				}
			}
			m.Flags = flags
			got, err = f.Recv(m)
			return err
		})
		n += got
		switch {
		case err != nil && n > 0:
			m.Flags = 0
			return n, nil
		case err != nil:
			return 0, err
		case f.Type != syscall.SOCK_STREAM || flags&syscall.MSG_WAITALL == 0 || flags&(syscall.MSG_PEEK|syscall.MSG_ERRQUEUE) != 0:
			return n, nil
		case got == 0 || len(m.Rights) > 0 || len(m.Control) > 0 || m.Size() == got:
			return n, nil
		}
		m.Buffers = Skip(m.Buffers, got)
	}
}

// errLater ends a call that has moved something already, of which it tells: an error that
// came after that is the next call's, so that it is not lost.
var errLater = syscall.EIO

// failed reports whether an error waits to be told.
func (f *File) failed() bool {
	now, err := f.Poll(fs.PollErr)
	return err != nil || now&fs.PollErr != 0
}

// Transmit is sendmsg(2): it waits until all is sent. What was sent before an error
// counts; the error is the next call's.
func (f *File) Transmit(m *Message, end <-chan struct{}) (n int, err error) {
	all := m.Buffers
	defer func() { m.Buffers = all }()
	for total := m.Size(); ; {
		sent := 0
		err := f.Await(Out, end, func() (err error) {
			if n > 0 && f.failed() {
				return errLater
			}
			sent, err = f.Send(m)
			return err
		})
		n += sent
		switch {
		case err != nil && n > 0:
			return n, nil
		case err != nil:
			return 0, err
		case n >= total || f.Type != syscall.SOCK_STREAM:
			return n, nil
		}
		m.Buffers = Skip(m.Buffers, sent)
		m.Rights, m.Creds, m.Control = nil, nil, nil
	}
}

// Skip is bufs without their first n bytes.
func Skip(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n == 0 || len(bufs) == 0 {
		return bufs
	}
	return append([][]byte{bufs[0][n:]}, bufs[1:]...)
}

// Read implements fs.Stream, like Write.
func (f *File) Read(p []byte) (int, error)  { return f.ReadUntil(p, nil) }
func (f *File) Write(p []byte) (int, error) { return f.WriteUntil(p, nil) }

// whole is a Message of one buffer, to be used again.
type whole struct {
	Message
	buffer [1][]byte
}

var wholes = sync.Pool{New: func() any { return new(whole) }}

func newWhole(p []byte) *whole {
	w := wholes.Get().(*whole)
	w.buffer[0] = p
	w.Buffers = w.buffer[:]
	return w
}

func (w *whole) done() {
	Drop(w.Rights)
	w.buffer[0] = nil
	w.Message = Message{}
	wholes.Put(w)
}

// ReadUntil implements fs.Interruptible, like WriteUntil.
func (f *File) ReadUntil(p []byte, end <-chan struct{}) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w := newWhole(p)
	defer w.done()
	n, err := f.Receive(&w.Message, end)
	return min(n, len(p)), err
}

func (f *File) WriteUntil(p []byte, end <-chan struct{}) (int, error) {
	w := newWhole(p)
	defer w.done()
	return f.Transmit(&w.Message, end)
}

// Drop releases rights.
func Drop(rights []Right) {
	for _, r := range rights {
		r.Release()
	}
}

// Option implements Socket, like SetOption.
func (f *File) Option(level, name int, dst []byte) (int, error) {
	if level != syscall.SOL_SOCKET {
		return f.Socket.Option(level, name, dst)
	}
	if direction, ok := timeoutOf(name); ok {
		t := syscall.NsecToTimeval(f.Timeouts[direction].Load())
		var b [16]byte // struct timeval, and __kernel_sock_timeval
		binary.NativeEndian.PutUint64(b[:], uint64(t.Sec))
		binary.NativeEndian.PutUint64(b[8:], uint64(t.Usec))
		return copy(dst, b[:]), nil
	}
	n, err := f.Socket.Option(level, name, dst)
	if err != syscall.ENOPROTOOPT {
		return n, err
	}
	var b [4]byte
	switch name {
	case syscall.SO_DOMAIN:
		binary.NativeEndian.PutUint32(b[:], uint32(f.Domain))
	case syscall.SO_TYPE:
		binary.NativeEndian.PutUint32(b[:], uint32(f.Type))
	case syscall.SO_PROTOCOL:
		binary.NativeEndian.PutUint32(b[:], uint32(f.Protocol))
	default:
		return n, err
	}
	return copy(dst, b[:]), nil
}

func (f *File) SetOption(level, name int, value []byte) error {
	direction, ok := timeoutOf(name)
	if level != syscall.SOL_SOCKET || !ok {
		return f.Socket.SetOption(level, name, value)
	}
	if len(value) < 16 {
		return syscall.EINVAL
	}
	sec, usec := int64(binary.NativeEndian.Uint64(value)), int64(binary.NativeEndian.Uint64(value[8:]))
	switch {
	case usec < 0 || usec >= 1e6:
		return syscall.EDOM
	case sec < 0:
		f.Timeouts[direction].Store(1) // it has passed
	case sec >= math.MaxInt64/1_000_000_000-1:
		f.Timeouts[direction].Store(0)
	default:
		f.Timeouts[direction].Store(sec*1e9 + usec*1e3)
	}
	return nil
}

// timeoutOf tells which timeout an option of SOL_SOCKET sets, if it does.
func timeoutOf(name int) (direction int, ok bool) {
	const (
		rcvTimeoNew = 66
		sndTimeoNew = 67
	)
	switch name {
	case syscall.SO_RCVTIMEO, rcvTimeoNew:
		return In, true
	case syscall.SO_SNDTIMEO, sndTimeoNew:
		return Out, true
	}
	return 0, false
}

// Getattr implements fs.File, like Setattr.
func (f *File) Getattr(a *fs.Attr) error                { return f.node.Getattr(a) }
func (f *File) Setattr(s *fs.SetAttr, a *fs.Attr) error { return f.node.Setattr(s, a) }

// Release implements fs.File.
func (f *File) Release() { f.Socket.Release() }

// Collect is called when a descriptor of the file is no more.
func (f *File) Collect() {
	if s, ok := f.Socket.(Collector); ok {
		s.Collect()
	}
}

// Ioctl implements fs.IoctlFile.
func (f *File) Ioctl(cmd uint32, arg uint64, in, out []byte) (int32, int, error) {
	if s, ok := f.Socket.(fs.IoctlFile); ok {
		return s.Ioctl(cmd, arg, in, out)
	}
	return 0, 0, syscall.ENOTTY
}

// Readable implements fs.ReadableFile.
func (f *File) Readable() (int, error) {
	if s, ok := f.Socket.(fs.ReadableFile); ok {
		return s.Readable()
	}
	return 0, syscall.ENOTTY
}
