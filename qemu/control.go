package qemu

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// progress is what the kernel has said over the debug console. The kernel
// runs a stranger's program, so its lines are bounded and read with care.
type progress struct {
	main    chan struct{} // closed when the program is about to start
	crashed chan struct{} // closed when the kernel has said that the program does not end by itself
	exited  chan struct{} // closed when the kernel has told the exit status
	status  int           // valid after exited
	proved  bool          // valid after done
	boot    Boot          // valid after done
	done    chan struct{} // closed at the end of the channel

	raw     syscall.RawConn
	mu      sync.Mutex
	over    bool
	partial []byte // of a line, cut off if it is too long
}

// Boot is how a boot went, as an image with kernel/stages tells it.
type Boot struct {
	Hz     uint64 // counts of the time-stamp counter in a second; of an instruction each, where QEMU counts them
	Stages []Stage
}

// Stage is a part of a boot, which ends where the next one begins. The last has no end.
type Stage struct {
	Name string
	At   uint64 // the time-stamp counter
}

// maxStages is how many of them are taken.
const maxStages = 64

// maxLine is the longest line of the debug console that counts, in bytes.
const maxLine = 128

// watch reads the channel until it ends.
func watch(conn *net.UnixConn) *progress {
	c := &progress{main: make(chan struct{}), crashed: make(chan struct{}), exited: make(chan struct{}), done: make(chan struct{})}
	raw, err := conn.SyscallConn()
	if err != nil {
		close(c.done)
		return c
	}
	c.raw = raw
	go func() {
		defer close(c.done)
		for !c.ended() {
			if raw.Read(c.pull) != nil {
				return
			}
		}
	}()
	return c
}

// upToDate takes what the kernel has said up to now.
func (c *progress) upToDate() {
	if c.raw != nil {
		_ = c.raw.Control(func(fd uintptr) { c.pull(fd) }) // fails at the end of the channel only
	}
}

// pull takes what is there and reports whether that was anything, or the end.
func (c *progress) pull(fd uintptr) (some bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var buf [maxLine]byte
	for !c.over {
		n, _, err := unix.Recvfrom(int(fd), buf[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return some
		case err != nil || n <= 0:
			c.over = true
		}
		some = true
		c.feed(buf[:max(n, 0)])
	}
	return true
}

func (c *progress) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// feed takes bytes of the channel. c.mu is held.
func (c *progress) feed(p []byte) {
	for _, b := range p {
		switch {
		case b != '\n':
			if len(c.partial) <= maxLine {
				c.partial = append(c.partial, b)
			}
			continue
		case len(c.partial) <= maxLine:
			c.line(string(c.partial))
		}
		c.partial = c.partial[:0]
	}
}

func (c *progress) line(line string) {
	switch {
	case line == "yolk main" && !closed(c.main):
		close(c.main)
	case line == "yolk crash" && !closed(c.crashed):
		close(c.crashed)
	case line == provedLine:
		c.proved = true
	case strings.HasPrefix(line, "yolk exit ") && !closed(c.exited):
		n, err := strconv.Atoi(line[len("yolk exit "):])
		if err != nil {
			return
		}
		c.status = n
		close(c.exited)
	case strings.HasPrefix(line, "yolk clock "):
		c.boot.Hz, _ = strconv.ParseUint(line[len("yolk clock "):], 10, 64)
	case strings.HasPrefix(line, "yolk stage "):
		at, name, _ := strings.Cut(line[len("yolk stage "):], " ")
		n, err := strconv.ParseUint(at, 10, 64)
		if err != nil || len(c.boot.Stages) == maxStages {
			return
		}
		c.boot.Stages = append(c.boot.Stages, Stage{name, n})
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
