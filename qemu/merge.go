package qemu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A program's standard output and error come through ports of their own, its
// panics and the kernel's log through the serial port. What goes to one output
// has to come out in the order in which it was written:
//
//   - Streams that share an output are one port.
//   - Whatever was in that port when a byte of the serial port was written has
//     left the guest before it: the port is emptied before that byte is passed on.
//   - The kernel, for its part, writes to the port only once the serial port's
//     bytes of before have been passed on. It asks for that by console-sent.

// source is one stream of the guest.
type source struct {
	name   string // of the port's stream; empty for the serial port
	fd     int    // merger.run closes it
	ended  bool
	failed bool // the output has not taken some of it: the rest is thrown away
}

// merger passes the streams of one output on.
type merger struct {
	out      *output
	streams  []*source
	console  *source               // the serial port; nil: it goes elsewhere
	log      *logLines             // the kernel's log in it; nil: it is as any other bytes
	recorder *recorder             // of what else is in it; nil: none
	lines    func(p []byte) []byte // what to make of the serial port's bytes; nil: nothing
	failed   func(name string, errno unix.Errno)
	answer   func(passed uint64)
	running  bool
	done     chan struct{} // closed when all streams have ended

	buf    []byte
	polled []unix.PollFd
	moved  atomic.Uint64 // calls that the output has answered
	waits  atomic.Bool   // in poll: all that was read has been passed on

	mu     sync.Mutex
	passed uint64 // bytes of the serial port
	wanted uint64 // answer when so many have been; 0: nobody asks
	silent int    // times in a row that nothing came while somebody asked
}

const (
	mergeBuffer = 64 << 10 // bytes
	spliceMost  = 1 << 20  // bytes

	// drainMost is more than a socket holds, in bytes.
	drainMost = 16 << 20

	// silence is how long a poll waits, in milliseconds. After two of them bytes
	// of the serial port that the kernel asks for count as lost.
	silence = 500
)

// add adds a stream, or the serial port, which has no name, before run.
func (m *merger) add(s *source) error {
	if s.name == "" {
		m.console = s
	} else {
		m.streams = append(m.streams, s)
	}
	return unix.SetNonblock(s.fd, true)
}

// abandon releases the descriptors of a merger that was never run.
func (m *merger) abandon() {
	if m.running {
		return
	}
	for _, s := range m.sources() {
		unix.Close(s.fd)
	}
	m.out.close()
}

// start starts run.
func (m *merger) start() {
	m.running = true
	go m.run()
}

// run returns when all streams have ended.
func (m *merger) run() {
	defer close(m.done)
	defer m.out.close()
	m.buf = make([]byte, mergeBuffer)
	for m.poll() {
		for _, s := range m.streams {
			m.step(s)
		}
		if m.console != nil {
			m.stepConsole()
		}
	}
}

// sources are all streams, the serial port last.
func (m *merger) sources() []*source {
	if m.console == nil {
		return m.streams
	}
	return append(m.streams[:len(m.streams):len(m.streams)], m.console)
}

// poll waits until there is something to read. It reports false when there never
// will be again.
func (m *merger) poll() bool {
	for {
		m.polled = m.polled[:0]
		healthy := false
		for _, s := range m.sources() {
			if !s.ended {
				m.polled = append(m.polled, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
				healthy = healthy || !s.failed
			}
		}
		open := len(m.polled)
		if open == 0 {
			return false
		}
		if healthy && m.out.hangsUp {
			// A reader that is gone is news at once, not only for the next write.
			m.polled = append(m.polled, unix.PollFd{Fd: int32(m.out.fd)})
		}
		timeout := -1
		if m.console != nil && !m.console.ended {
			timeout = silence
		}
		m.waits.Store(true)
		n, err := unix.Poll(m.polled, timeout)
		m.waits.Store(false)
		if err != nil {
			continue // EINTR
		}
		if n == 0 {
			m.nothing()
			continue
		}
		if len(m.polled) > open && m.polled[open].Revents != 0 {
			for _, s := range m.sources() {
				m.fail(s, unix.EPIPE)
			}
		}
		return true
	}
}

// settle waits until all that QEMU, which is stopped, has written is passed on. It
// gives up if nobody takes any of it.
func (m *merger) settle() {
	for moved, quiet := m.moved.Load(), time.Duration(0); quiet < grace; quiet += settleStep {
		empty := true
		for _, s := range m.sources() {
			n, err := unix.IoctlGetInt(s.fd, unix.TIOCINQ)
			empty = empty && (err != nil || n == 0) // a source that has ended is closed
		}
		if empty && m.waits.Load() || closed(m.done) { // in this order: read, then passed on
			return
		}
		time.Sleep(settleStep)
		if now := m.moved.Load(); now != moved {
			moved, quiet = now, 0
		}
	}
}

// settleStep is how long settle waits for the next look.
const settleStep = time.Millisecond

// read reads what there is of a source, nothing if that is nothing.
func (m *merger) read(s *source) []byte {
	for !s.ended {
		n, err := unix.Read(s.fd, m.buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return nil
		case err != nil || n == 0: // or a reset, when QEMU was killed
			s.ended = true
			unix.Close(s.fd)
		default:
			return m.buf[:n]
		}
	}
	return nil
}

// step passes a part of a stream on and returns its size.
func (m *merger) step(s *source) int {
	if n := m.splice(s); n > 0 {
		return n
	}
	p := m.read(s)
	m.pass(s, p)
	return len(p)
}

// stepConsole passes a part of the serial port's bytes on.
func (m *merger) stepConsole() {
	p := slices.Clone(m.read(m.console))
	if len(p) == 0 {
		if m.console.ended && m.log != nil {
			m.pass(m.console, m.log.end())
		}
		return
	}
	for _, s := range m.streams {
		for n := m.step(s); n > 0 && n < drainMost; {
			k := m.step(s)
			if k == 0 {
				break
			}
			n += k
		}
	}
	n := uint64(len(p))
	if m.log != nil {
		p = m.log.split(p, m.recorder)
	}
	if m.lines != nil {
		p = m.lines(p)
	}
	m.pass(m.console, p)
	m.count(n)
}

// splice moves a part of a stream into an output that is a pipe, without a copy,
// and returns its size. What it cannot do, and the stream's end, is for read.
func (m *merger) splice(s *source) int {
	if !m.out.pipe || s.failed || s.ended {
		return 0
	}
	n, err := unix.Splice(s.fd, nil, m.out.fd, nil, spliceMost, 0)
	switch {
	case err == unix.EPIPE:
		m.fail(s, unix.EPIPE)
	case err == unix.EINVAL:
		m.out.pipe = false // an old kernel
	case err == nil && n > 0:
		m.moved.Add(1)
		return int(n)
	}
	return 0
}

// pass writes to the output. When that takes no more, the rest is read all the
// same, so that the guest does not wait: it is told.
func (m *merger) pass(s *source, p []byte) {
	if s.failed || len(p) == 0 {
		return
	}
	_, err := m.out.Write(p)
	m.moved.Add(1)
	if err != nil {
		m.fail(s, errnoOf(err))
	}
}

// fail has no more of s written, and the guest told.
func (m *merger) fail(s *source, errno unix.Errno) {
	if s.failed {
		return
	}
	s.failed = true
	if s.name != "" {
		m.failed(s.name, errno)
	}
}

// count counts bytes of the serial port that were passed on.
func (m *merger) count(n uint64) {
	m.mu.Lock()
	m.passed += n
	m.silent = 0
	m.reply()
}

// ask has an answer given when n bytes of the serial port have been passed on.
func (m *merger) ask(n uint64) {
	m.mu.Lock()
	m.wanted, m.silent = max(n, 1), 0
	m.reply()
}

// nothing gives up bytes that do not come.
func (m *merger) nothing() {
	m.mu.Lock()
	if m.wanted > 0 {
		m.silent++
	}
	if m.silent > 1 {
		m.passed = max(m.passed, m.wanted)
	}
	m.reply()
}

// reply answers if it is time. m.mu is held, and released.
func (m *merger) reply() {
	passed, due := m.passed, m.wanted > 0 && m.passed >= m.wanted
	if due {
		m.wanted = 0
	}
	m.mu.Unlock()
	if due {
		m.answer(passed)
	}
}
