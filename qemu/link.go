package qemu

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/kernel/control"
)

// link is the port yolk.control: what this process and the kernel tell each
// other while the program runs. The kernel's messages are a stranger's.
type link struct {
	conn *net.UnixConn
	out  chan []byte
	done chan struct{}       // closed when the kernel says no more
	stop chan syscall.Signal // signals that have stopped the program

	// Of files that the kernel wants watched. What is sent there waits until the
	// kernel reads it, or is gone.
	watches  chan control.Message
	watching atomic.Pointer[watching] // who answers; nil: nobody
	sent     chan []byte
	gone     chan struct{}
	left     sync.Once // closes gone

	held    chan struct{} // closed when the program waits to go on
	holding sync.Once

	proc procFiles

	mu   sync.Mutex
	told map[string]bool // streams whose error the program has got
}

// linkQueue is how many messages may wait for the kernel to read them. A kernel
// that reads none misses more.
const linkQueue = 64

// openLink reads messages; ask is called for each console-sent, taken for each
// interrupt-taken. The kernel may read what files offer.
func openLink(conn *net.UnixConn, files *hostFiles, ask func(n uint64), taken func()) *link {
	l := &link{
		conn: conn, out: make(chan []byte, linkQueue), done: make(chan struct{}), stop: make(chan syscall.Signal, 1), told: map[string]bool{},
		watches: make(chan control.Message, watchQueue), sent: make(chan []byte), gone: make(chan struct{}), held: make(chan struct{}),
	}
	reads := make(chan control.Message, 1)
	go func() {
		defer close(l.done)
		defer l.leave()
		for r := control.NewReader(conn); ; {
			m, err := r.Next()
			if err != nil {
				return
			}
			if m.Verb == control.ProcData {
				if err := l.proc.take(m, r); err != nil {
					return
				}
				continue
			}
			if m.Verb == control.FileRead {
				select {
				case reads <- m:
				default: // who asks for several at once gets one
				}
				continue
			}
			l.take(m, ask, taken)
		}
	}()
	go func() {
		for {
			select {
			case m := <-reads:
				select {
				case l.out <- files.answer(m):
				case <-l.done:
					return
				}
			case <-l.done:
				return
			}
		}
	}()
	go func() {
		for {
			var line []byte
			select {
			case line = <-l.out:
			case line = <-l.sent:
			case <-l.done:
				return
			}
			if _, err := conn.Write(line); err != nil {
				l.leave() // a guest that is gone needs no news
			}
		}
	}()
	go l.answer()
	return l
}

// answer has what the kernel wants watched dealt with, in its order.
func (l *link) answer() {
	for {
		select {
		case m := <-l.watches:
			if w := l.watching.Load(); w != nil {
				w.do(m)
			}
		case <-l.gone:
			return
		}
	}
}

// leave notes that the kernel reads no more.
func (l *link) leave() { l.left.Do(func() { close(l.gone) }) }

func (l *link) take(m control.Message, ask func(n uint64), taken func()) {
	switch m.Verb {
	case control.ConsoleSent:
		if n, ok := m.Count(0); ok {
			ask(n)
		}
	case control.Stopped:
		if sig, ok := m.Signal(0); ok {
			select {
			case l.stop <- sig:
			default: // it asks once more before it is answered
			}
		}
	case control.InterruptTaken:
		taken()
	case control.Held:
		l.holding.Do(func() { close(l.held) })
	case control.StreamTold:
		if name := m.Arg(0); name == "stdout" || name == "stderr" || name == ttyName {
			l.mu.Lock()
			l.told[name] = true
			l.mu.Unlock()
		}
	case control.Watch, control.Unwatch, control.WatchSync:
		select {
		case l.watches <- m:
		case <-l.gone:
		}
	}
}

// send is tell for what must not be missed: it waits.
func (l *link) send(verb string, args ...string) {
	select {
	case l.sent <- control.Message{Verb: verb, Args: args}.Append(nil):
	case <-l.gone:
	}
}

// tell sends a message and does not wait for it to be read.
func (l *link) tell(verb string, args ...string) {
	select {
	case l.out <- control.Message{Verb: verb, Args: args}.Append(nil):
	default:
	}
}

// hasTold reports whether the program knows the error of a stream.
func (l *link) hasTold(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told[name]
}
