package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs/anonfs"
)

// Signalfd4 makes a file that gets the signals of set, as far as they are blocked;
// or has fd, if that is not -1, get them.
func (k *Kernel) Signalfd4(fd int, set Sigset, flags int) (int, syscall.Errno) {
	if flags&^anonFlags != 0 {
		return -1, syscall.EINVAL
	}
	set &^= unblockable
	if fd == -1 {
		f := anonfs.NewSignalfd(func(wake func()) anonfs.SignalSource {
			return &signalSource{k, k.AddSignalReader(set, wake)}
		})
		return k.installAnon(f, "[signalfd]", flags)
	}
	f, d, e := fileOf[*anonfs.Signalfd](k, fd)
	if e != 0 {
		return -1, e
	}
	defer d.put()
	k.SetSignals(f.Source().(*signalSource).reader, set)
	return fd, 0
}

// signalSource implements anonfs.SignalSource.
type signalSource struct {
	k      *Kernel
	reader *SignalReader
}

func (s *signalSource) Take() (anonfs.Siginfo, bool) {
	i, ok := s.k.TakeSignal(s.reader)
	return anonfs.Siginfo{Signo: int(i.Signo), Code: i.Code, Pid: uint32(i.Pid), Uid: i.Uid, Value: i.Value}, ok
}

func (s *signalSource) Has() bool { return s.k.HasSignal(s.reader) }
func (s *signalSource) Close()    { s.k.RemoveSignalReader(s.reader) }
