package fusefs

import (
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Pauses between two INTERRUPTs of one request.
const (
	interruptPauseMin = 10 * time.Millisecond
	interruptPauseMax = time.Second
)

// watch sends INTERRUPT for the request unique once cancel is closed, and
// again until the returned function is called: an INTERRUPT may overtake its
// request, and a server that does not know the request may drop it. It is for
// the server to answer the request, with EINTR or as if nothing had been.
func (f *FS) watch(unique uint64, cancel <-chan struct{}) (stop func()) {
	answered := make(chan struct{})
	go func() {
		select {
		case <-answered:
			return
		case <-cancel:
		}
		for pause := interruptPauseMin; ; pause = min(2*pause, interruptPauseMax) {
			select {
			case <-answered:
				return
			default:
			}
			f.sendInterrupt(unique)
			t := time.NewTimer(pause)
			select {
			case <-answered:
				t.Stop()
				return
			case <-t.C:
			}
		}
	}()
	return func() { close(answered) }
}

// sendInterrupt uses the odd id behind that of the request: each request has
// one, and a repeated INTERRUPT has no reply that could be mistaken.
func (f *FS) sendInterrupt(unique uint64) {
	h := fuse.InHeader{
		Len: fuse.InHeaderSize + fuse.InterruptInSize, Opcode: fuse.FUSE_INTERRUPT,
		Unique: unique | 1, Uid: f.uid.Load(), Gid: f.gid.Load(), Pid: f.pid.Load(),
	}
	in := fuse.InterruptIn{Unique: unique}
	msg := in.AppendTo(h.AppendTo(nil))
	f.stats[fuse.FUSE_INTERRUPT].count(len(msg))
	if err := f.t.Send([][]byte{msg}); err != nil {
		f.stats[fuse.FUSE_INTERRUPT].errors.Add(1)
		f.deviceError(fuse.FUSE_INTERRUPT, err)
	}
}
