package kernel

import (
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs/tty"
	"github.com/yolkos/yolk/kernel/control"
)

// link is the port yolk.control: what the launcher and the kernel tell each other
// while the program runs.
type link struct {
	port         io.ReadWriter
	streams      map[string]*outStream // by the launcher's names
	shareEnded   func(tag, how string)
	shareStarted func(tag string)
	networkEnded atomic.Pointer[func()] // nil: there is none
	console      func() uint64          // bytes that the serial port has been given so far
	signals      chan syscall.Signal
	watch        atomic.Pointer[hostWatch]  // nil: there is no tree of files yet
	proc         atomic.Pointer[procReader] // nil: there are no files of /proc yet
	reading      atomic.Bool                // one of them, for the launcher
	done         chan struct{}              // closed when the launcher says no more
	resized      func(tty.Winsize)

	asking sync.Mutex // held by the one that asks for a file

	mu      sync.Mutex
	news    sync.Cond
	passed  uint64    // bytes of the serial port that the launcher has passed on
	data    *fileData // the answer to who is asking
	stopped bool      // the launcher has been told so, and has not continued us
	ended   bool      // the launcher says no more
}

// maxSignals is how many signals of the launcher's may wait to be delivered; more
// are lost, as of signals that wait already they are elsewhere.
const maxSignals = 64

func newLink(port io.ReadWriter) *link {
	l := &link{port: port, streams: map[string]*outStream{}, signals: make(chan syscall.Signal, maxSignals), done: make(chan struct{})}
	l.news.L = &l.mu
	return l
}

// listen does what the launcher says, until it says no more.
func (l *link) listen() {
	for r := control.NewReader(l.port); ; {
		m, err := r.Next()
		if err == nil && m.Verb == control.FileData {
			err = l.takeData(m, r)
		}
		if err != nil {
			break
		}
		l.take(m)
	}
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	close(l.done)
	l.news.Broadcast()
}

// maxErrno is the largest error number of Linux.
const maxErrno = 4095

func (l *link) take(m control.Message) {
	switch m.Verb {
	case control.ShareEnded:
		l.shareEnded(m.Arg(0), m.Arg(1))
	case control.ShareStarted:
		l.shareStarted(m.Arg(0))
	case control.NetworkEnded:
		if ended := l.networkEnded.Load(); ended != nil {
			(*ended)()
		}
	case control.StreamFailed:
		s, errno := l.streams[m.Arg(0)], syscall.EIO
		if n, ok := m.Count(1); ok && n > 0 && n <= maxErrno {
			errno = syscall.Errno(n)
		}
		if s != nil {
			s.fail(errno)
		}
	case control.ConsolePassed:
		n, _ := m.Count(0)
		l.mu.Lock()
		l.passed = max(l.passed, n)
		l.mu.Unlock()
		l.news.Broadcast()
	case control.Signal:
		if sig, ok := m.Signal(0); ok {
			select {
			case l.signals <- sig:
			default:
			}
		}
	case control.Continued:
		l.mu.Lock()
		l.stopped = false
		l.mu.Unlock()
		l.news.Broadcast()
	case control.WindowSize:
		var n [4]uint16
		for i := range n {
			v, ok := m.Count(i)
			if !ok || v > 1<<16-1 {
				return
			}
			n[i] = uint16(v)
		}
		if l.resized != nil {
			l.resized(tty.Winsize{Row: n[0], Col: n[1], Xpixel: n[2], Ypixel: n[3]})
		}
	case control.ProcRead:
		if l.reading.CompareAndSwap(false, true) { // it asks for one at a time
			go l.tellProc(m.Arg(0), m.Arg(1))
		}
	case control.Watching, control.WatchEvent, control.WatchLost, control.WatchSynced:
		if h := l.watch.Load(); h != nil {
			h.take(m)
		}
	}
}

// procReader returns what is in a file of /proc.
type procReader func(name string) ([]byte, syscall.Errno)

// tellProc answers the question id with what is in a file of /proc.
func (l *link) tellProc(id, name string) {
	var data []byte
	errno := syscall.EAGAIN
	if read := l.proc.Load(); read != nil {
		data, errno = (*read)(name)
	}
	if len(data) > control.MaxData {
		data, errno = nil, syscall.EFBIG
	}
	m := control.Message{Verb: control.ProcData, Args: []string{id, strconv.Itoa(int(errno)), strconv.Itoa(len(data))}}
	l.reading.Store(false)
	_, _ = l.port.Write(append(m.Append(nil), data...)) // in one piece, as other messages are
}

// hold says that the machine is up, and returns when the launcher says that the program
// is to go on.
func (l *link) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.mu.Unlock()
	l.tell(control.Held)
	l.mu.Lock()
	for l.stopped && !l.ended {
		l.news.Wait()
	}
}

// stop has the launcher stop the program because of a signal, and returns when
// that goes on.
func (l *link) stop(sig syscall.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped && !l.ended {
		l.stopped = true
		l.mu.Unlock()
		l.tell(control.Stopped, strconv.Itoa(int(sig)))
		l.mu.Lock()
	}
	for l.stopped && !l.ended {
		l.news.Wait()
	}
}

// tell sends a message. A launcher that does not listen needs none.
func (l *link) tell(verb string, args ...string) {
	_, _ = l.port.Write(control.Message{Verb: verb, Args: args}.Append(nil))
}

// orderConsole returns once the launcher has passed on what went to the serial
// port before.
func (l *link) orderConsole() {
	n := l.console()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.passed >= n || l.ended {
		return
	}
	l.mu.Unlock()
	l.tell(control.ConsoleSent, strconv.FormatUint(n, 10))
	l.mu.Lock()
	for l.passed < n && !l.ended {
		l.news.Wait()
	}
}
