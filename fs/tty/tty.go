package tty

import (
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// Winsize is the size of a terminal's window, struct winsize of Linux.
type Winsize struct {
	Row, Col       uint16 // characters
	Xpixel, Ypixel uint16 // 0: unknown
}

// TTY is a terminal: of the machine, or the slave of a pseudo terminal. Its
// methods may be called from many goroutines.
type TTY struct {
	set  *Terminals
	rdev uint64
	// out shows what is written; nil: the master of a pseudo terminal reads it.
	out io.Writer

	// turn holds a value while somebody writes: what is written at once is not
	// mixed with what others write.
	turn chan struct{}

	mu      sync.Mutex
	d       discipline
	pending []byte // typed, not taken by the discipline yet
	eof     bool   // nothing more will be typed
	size    Winsize
	pgrp    int           // of the foreground; of the controlling terminal only
	changed chan struct{} // closed at the next change; nil if nobody waits
	queue   fs.WaitQueue  // of those who have the terminal open
	excl    bool          // TIOCEXCL
	hungUp  bool          // the master is gone
	echoing bool          // a goroutine shows what was typed
	onTaken func()        // see Taken
	untaken bool          // see Taken

	master *master // nil: none
}

// pendingMax is how many bytes may have been typed, in bytes, that the discipline
// has no room for.
const pendingMax = 64 << 10

const (
	// writePiece is how many bytes of a program go through the output modes at once.
	writePiece = 4096
	// longestPost is how many bytes one of them becomes at most: a tab.
	longestPost = 8
)

func newTTY(set *Terminals, rdev uint64, out io.Writer) *TTY {
	t := &TTY{set: set, rdev: rdev, out: out, turn: make(chan struct{}, 1)}
	t.d.set(Default())
	return t
}

// wake wakes whoever waits for a change to events; t.mu is held.
func (t *TTY) wake(events uint32) {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
	t.queue.Wake(events)
	if t.master != nil {
		t.master.queue.Wake(readable | writable | fs.PollHup)
	}
}

const (
	readable = fs.PollIn | fs.PollRdNorm
	writable = fs.PollOut | fs.PollWrNorm
)

// wait lets go of t.mu until something changes, end is closed (EINTR) or over
// gets something (false).
func (t *TTY) wait(end <-chan struct{}, over <-chan time.Time) (changed bool, err error) {
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	c := t.changed
	t.mu.Unlock()
	defer t.mu.Lock()
	select {
	case <-c:
		return true, nil
	default:
	}
	select {
	case <-c:
		return true, nil
	case <-over:
		return false, nil
	case <-end:
		return false, syscall.EINTR
	}
}

// input passes on what was typed, of which p may be no more than
// pendingMax. It waits while there is no room.
func (t *TTY) input(p []byte, end <-chan struct{}) (n int, err error) {
	t.mu.Lock()
	for n < len(p) {
		if room := pendingMax - len(t.pending); room > 0 {
			k := min(room, len(p)-n)
			t.pending = append(t.pending, p[n:n+k]...)
			n += k
			t.pump()
			continue
		}
		if _, err = t.wait(end, nil); err != nil {
			break
		}
	}
	t.mu.Unlock()
	if n > 0 {
		err = nil
	}
	return n, err
}

// pump has the discipline take what it has room for, and passes on what that
// leads to; t.mu is held, and let go of for a moment.
func (t *TTY) pump() {
	if len(t.pending) == 0 {
		return
	}
	for more := true; more && len(t.pending) > 0; {
		n := t.d.receive(t.pending)
		t.pending = t.pending[:copy(t.pending, t.pending[n:])]
		more = n > 0
		t.showEcho()
	}
	t.showEcho() // what came behind what was due
	t.wake(readable | writable)
	t.passSignals()
}

// echoTime is how long a signal that is typed waits until that has been shown:
// it may end the program.
const echoTime = 200 * time.Millisecond

// passSignals sends the signals that were typed; t.mu is held, and let go of.
func (t *TTY) passSignals() {
	raised, pgrp := t.d.raised, t.pgrp
	t.d.raised = nil
	if len(raised) == 0 {
		return
	}
	if t.untaken {
		t.took()
	}
	for over := time.After(echoTime); t.echoing; {
		if changed, _ := t.wait(nil, over); !changed {
			break
		}
	}
	t.mu.Unlock()
	defer t.mu.Lock()
	for _, sig := range raised {
		t.set.signal(pgrp, sig)
	}
}

// showEcho shows what was typed; t.mu is held.
func (t *TTY) showEcho() {
	switch {
	case len(t.d.echo) == 0 || t.d.stopped:
	case t.master != nil:
		t.master.takeEcho()
	case !t.echoing:
		t.echoing = true
		go func() {
			t.turn <- struct{}{}
			t.mu.Lock()
			t.writeEcho()
			t.echoing = false
			t.wake(writable)
			t.mu.Unlock()
			<-t.turn
		}()
	}
}

// writeEcho shows what was typed on a terminal of the machine; t.turn and t.mu
// are held, the latter is let go of meanwhile.
func (t *TTY) writeEcho() {
	for len(t.d.echo) > 0 && !t.d.stopped {
		b := t.d.takeEcho(nil, writePiece)
		t.mu.Unlock()
		_, err := t.out.Write(b)
		t.mu.Lock()
		if err != nil {
			return // the program learns of it by its own writes
		}
	}
}

// write writes p by the output modes.
func (t *TTY) write(p []byte, end <-chan struct{}) (n int, err error) {
	select {
	case t.turn <- struct{}{}:
	default:
		select {
		case t.turn <- struct{}{}:
		case <-end:
			return 0, syscall.EINTR
		}
	}
	defer func() { <-t.turn }()
	t.mu.Lock()
	defer t.mu.Unlock()
	for n < len(p) {
		if t.hungUp {
			err = syscall.EIO
			break
		}
		k := 0
		if !t.d.stopped {
			if t.master == nil {
				k, err = t.writeOut(p[n:])
			} else {
				k = t.master.take(p[n:])
			}
			n += k
		}
		if err == nil && k == 0 {
			_, err = t.wait(end, nil)
		}
		if err != nil {
			break
		}
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// writeOut writes a part of p to a terminal of the machine, at least one byte
// unless there is an error; t.turn and t.mu are held.
func (t *TTY) writeOut(p []byte) (n int, err error) {
	t.writeEcho()
	b, n := p, len(p)
	if t.d.posts() {
		b, n = t.d.process(make([]byte, 0, 2*writePiece), p[:min(n, writePiece)], 2*writePiece)
	}
	t.mu.Unlock()
	defer t.mu.Lock()
	k, err := t.out.Write(b)
	if err != nil && k > 0 && len(b) == len(p) {
		return k, nil
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// read reads as the settings say: a line, or MIN bytes within TIME.
func (t *TTY) read(p []byte, end <-chan struct{}) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var over <-chan time.Time // of VTIME
	defer func() {
		if n > 0 || err == nil {
			t.took()
			t.wake(writable)
		}
	}()
	for {
		t.pump()
		m := &t.d.termios
		if t.hungUp {
			return n, nil
		}
		least, tenths := 1, 0
		if m.canonical() {
			k, whole := t.d.queue.readLine(p[n:])
			if n += k; whole || n == len(p) || n > 0 && !t.d.readable() {
				return n, nil
			}
		} else {
			if !m.l(ICANON) {
				least, tenths = int(m.Cc[VMIN]), int(m.Cc[VTIME])
			}
			k := t.d.queue.read(p[n:])
			n += k
			if n >= min(max(least, 1), len(p)) {
				t.pump()
				return n + t.d.queue.read(p[n:]), nil
			}
			if k > 0 && least > 0 {
				over = nil // TIME counts from the last byte on
			}
			if tenths > 0 && over == nil && (least == 0 || n > 0) {
				over = time.After(time.Duration(tenths) * time.Second / 10)
			}
		}
		if t.eof || least == 0 && tenths == 0 {
			return n, nil
		}
		changed, err := t.wait(end, over)
		if err != nil {
			if n > 0 {
				err = nil
			}
			return n, err
		}
		if !changed {
			return n, nil
		}
	}
}

// poll is which events hold; t.mu is held.
func (t *TTY) poll() uint32 {
	if t.hungUp {
		return readable | writable | fs.PollErr | fs.PollHup
	}
	t.pump()
	var now uint32
	m := &t.d.termios
	least := 1
	if !m.l(ICANON) && m.Cc[VTIME] == 0 && m.Cc[VMIN] > 0 {
		least = int(m.Cc[VMIN])
	}
	if t.eof || t.d.readable() && (m.canonical() || t.d.queue.held() >= least) {
		now |= readable
	}
	if !t.d.stopped && (t.master == nil || t.master.room() >= longestPost) {
		now |= writable
	}
	return now
}

// SetSize changes the size of the window. Somebody else tells the program.
func (t *TTY) SetSize(size Winsize) {
	t.mu.Lock()
	t.size = size
	t.mu.Unlock()
}

// resize is SetSize for a program, for which it is a SIGWINCH if it is another
// size; t.mu is held, and let go of for that.
func (t *TTY) resize(size Winsize) {
	if t.size == size {
		return
	}
	t.size = size
	pgrp := t.pgrp
	t.mu.Unlock()
	defer t.mu.Lock()
	t.set.signal(pgrp, syscall.SIGWINCH)
}

// Configure sets size and settings as the program is to find them.
func (t *TTY) Configure(size Winsize, m Termios) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.settle()
	t.size = size
	t.d.set(m)
}

// Cooked says that the terminal behind t does by itself what output modes do; t
// leaves the output as it is.
func (t *TTY) Cooked() {
	t.mu.Lock()
	t.d.cooked = true
	t.mu.Unlock()
}

// Input has everything that in gives typed, until its end or an error.
func (t *TTY) Input(in fs.Stream) {
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		if n == 0 || err != nil {
			break
		}
		t.mu.Lock()
		for _, c := range buf[:n] {
			t.untaken = t.untaken || c == interruptKey
		}
		t.mu.Unlock()
		_, _ = t.input(buf[:n], nil)
	}
	t.mu.Lock()
	t.eof = true
	t.wake(readable)
	t.mu.Unlock()
}

// interruptKey is Ctrl-C, whatever VINTR is.
const interruptKey = 3

// Taken has f called when the program has taken the Ctrl-C that was typed last: it
// was a signal, or was read, or thrown away.
func (t *TTY) Taken(f func()) { t.onTaken = f }

// took is called when input was taken; t.mu is held.
func (t *TTY) took() {
	if t.untaken && t.onTaken != nil {
		t.untaken = false
		go t.onTaken()
	}
}
