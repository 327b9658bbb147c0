package qemu

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is the terminal of this process, which becomes the program's: what is
// typed goes to the guest as it is, and the guest does what a terminal does with
// it, echo, editing and signals. It is the terminal of all standard streams that
// are one.
//
// Keys belong to the program only if standard input is the terminal; else this
// terminal stays as it is, and Ctrl-C is a signal to this process and to those
// that it shares a pipeline with.
type terminal struct {
	file *os.File // any of the streams that are it
	keys *os.File // standard input; nil: that is something else
	told winsize  // to the kernel, at its start

	mu     sync.Mutex
	before *unix.Termios // as it was found; nil: nothing was changed
	now    *unix.Termios // as it shall be meanwhile; nil: as it was found
	raw    atomic.Bool   // it breaks no lines by itself
}

// findTerminal returns the terminal among the standard streams; nil: there is
// none. If there are two, it is that of the standard output.
func findTerminal(o *Options) *terminal {
	for _, s := range []any{o.Stdout, o.Stderr, o.Stdin} {
		f, ok := s.(*os.File)
		if !ok || !isTerminal(f) {
			continue
		}
		t := &terminal{file: f}
		if in, ok := o.Stdin.(*os.File); ok && t.is(in) {
			t.keys = in
		}
		return t
	}
	return nil
}

// HasTerminal reports whether one of the files is a terminal.
func HasTerminal(files ...*os.File) bool {
	for _, f := range files {
		if isTerminal(f) {
			return true
		}
	}
	return false
}

func isTerminal(f *os.File) bool {
	ok := false
	withFD(f, func(fd int) { _, err := unix.IoctlGetTermios(fd, unix.TCGETS); ok = err == nil })
	return ok
}

// withFD calls do with the descriptor of f, which stays as it is: Fd would make
// it blocking.
func withFD(f *os.File, do func(fd int)) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// is reports whether a stream is t.
func (t *terminal) is(stream any) bool {
	f, ok := stream.(*os.File)
	return t != nil && ok && isTerminal(f) && deviceOf(f) == deviceOf(t.file)
}

// deviceOf is the device number of a terminal, whatever its name: that of
// /dev/tty tells nothing.
func deviceOf(f *os.File) (dev uint32) {
	withFD(f, func(fd int) { dev, _ = unix.IoctlGetUint32(fd, unix.TIOCGDEV) })
	return dev
}

// settings is the line for the kernel.
func (t *terminal) settings() string {
	var b []byte
	t.mu.Lock()
	m := t.before // that it is raw already is not the program's wish
	t.mu.Unlock()
	if m == nil {
		withFD(t.file, func(fd int) { m, _ = unix.IoctlGetTermios(fd, unix.TCGETS) })
	}
	if m != nil {
		b = encodeTermios(m)
	}
	t.told = t.size()
	line := fmt.Sprintf("tty=%v %s\n", t.told, hex.EncodeToString(b))
	if t.keys == nil { // it stays as it is
		line += "tty.cooked=1\n"
	}
	return line
}

// encodeTermios makes a struct termios2 of the kernel.
func encodeTermios(m *unix.Termios) []byte {
	var b []byte
	for _, v := range []uint32{m.Iflag, m.Oflag, m.Cflag, m.Lflag} {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	b = append(append(b, m.Line), m.Cc[:19]...)
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(b, m.Ispeed), m.Ospeed)
}

// winsize is the size of a window: rows and columns, and the same in pixels; 0:
// unknown.
type winsize unix.Winsize

func (w winsize) String() string { return fmt.Sprintf("%d %d %d %d", w.Row, w.Col, w.Xpixel, w.Ypixel) }

func (t *terminal) size() (size winsize) {
	withFD(t.file, func(fd int) {
		if w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err == nil {
			size = winsize(*w)
		}
	})
	return size
}

// hand hands the keys to the guest, those that are signals only if signals is
// set. It may be called again.
func (t *terminal) hand(signals bool) {
	if t == nil || t.keys == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before == nil {
		withFD(t.keys, func(fd int) { t.before, _ = unix.IoctlGetTermios(fd, unix.TCGETS) })
		if t.before == nil {
			return
		}
	}
	m := *t.before
	m.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IUCLC | unix.IXON | unix.IXOFF
	m.Oflag &^= unix.OPOST
	m.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.IEXTEN
	if signals {
		m.Lflag &^= unix.ISIG
	}
	m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 1, 0
	t.now = &m
	t.apply(t.now)
}

// again does once more what hand did: somebody may have changed the terminal
// while this process was stopped or in the background.
func (t *terminal) again() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil {
		t.apply(t.now)
	}
}

// restore leaves the terminal as it was found. Again takes that back.
func (t *terminal) restore() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		t.apply(t.before)
	}
}

// apply changes the terminal, unless another job of its shell has it; t.mu is
// held.
func (t *terminal) apply(m *unix.Termios) {
	withFD(t.keys, func(fd int) {
		if !foreground(fd) {
			return
		}
		if unix.IoctlSetTermios(fd, unix.TCSETS, m) == nil {
			t.raw.Store(m.Oflag&unix.OPOST == 0)
		}
	})
}

// foreground reports whether this process may use its terminal. One that controls
// nothing is everybody's.
func foreground(fd int) bool {
	pgrp, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err != nil || pgrp == unix.Getpgrp()
}

// linesOf returns lines where an output is the terminal, else nil.
func (t *terminal) linesOf(out io.Writer) func(p []byte) []byte {
	if !t.is(out) {
		return nil
	}
	return t.lines
}

// lines returns p with line breaks as a terminal needs them that is raw.
func (t *terminal) lines(p []byte) []byte {
	if !t.raw.Load() {
		return p
	}
	var b []byte
	for _, c := range p {
		if c == '\n' {
			b = append(b, '\r')
		}
		b = append(b, c)
	}
	return b
}

// brokenLines writes such lines.
type brokenLines struct {
	lines func(p []byte) []byte
	w     io.Writer
}

func (b brokenLines) Write(p []byte) (int, error) {
	if _, err := b.w.Write(b.lines(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// breakLines returns w as one that may be written to while the terminal is raw.
func (t *terminal) breakLines(w io.Writer) io.Writer {
	if lines := t.linesOf(w); lines != nil {
		return brokenLines{lines, w}
	}
	return w
}

// A program counts as hanging that takes none of maxUntaken Ctrl-C, typed over
// untakenTime at least.
const (
	maxUntaken  = 3
	untakenTime = 2 * time.Second
)

// interruptKey is Ctrl-C.
const interruptKey = 3

// keyboard reads what is typed, and watches what the program makes of Ctrl-C.
type keyboard struct {
	t     *terminal
	hangs chan struct{} // gets something when the program does not react

	mu      sync.Mutex
	untaken int       // Ctrl-C typed since the program took one
	since   time.Time // when the first of them was
}

func newKeyboard(t *terminal) *keyboard { return &keyboard{t: t, hangs: make(chan struct{}, 1)} }

// Read waits while this process is in the background.
func (k *keyboard) Read(p []byte) (n int, err error) {
	for range 2 {
		n, err = input{k.t.keys}.Read(p)
		if n > 0 || errnoOf(err) != unix.EIO {
			break
		}
		k.awaitForeground() // EIO there is a terminal that is gone
	}
	if bytes.IndexByte(p[:max(n, 0)], interruptKey) >= 0 {
		k.typed(time.Now())
	}
	return n, err
}

// typed notes a Ctrl-C.
func (k *keyboard) typed(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.untaken++; k.untaken == 1 {
		k.since = now
	}
	if k.untaken >= maxUntaken && now.Sub(k.since) >= untakenTime {
		select {
		case k.hangs <- struct{}{}:
		default:
		}
	}
}

// taken is called when the program has taken a Ctrl-C.
func (k *keyboard) taken() {
	k.mu.Lock()
	k.untaken = 0
	k.mu.Unlock()
}

// backgroundPause is after how long a terminal is asked again whose it is.
const backgroundPause = 200 * time.Millisecond

func (k *keyboard) awaitForeground() {
	for ours := false; !ours; {
		withFD(k.t.keys, func(fd int) { ours = foreground(fd) })
		if !ours {
			time.Sleep(backgroundPause)
		}
	}
}
