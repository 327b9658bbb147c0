package tty

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
)

// Linux's own pseudo terminals are the judge: the same is typed, printed and read
// at one of them and at one of ours.

// terminal is a pseudo terminal of either kind. What would block is EAGAIN.
type terminal interface {
	set(m Termios)
	get() Termios
	typeIn(p []byte) (int, error)
	print(p []byte) (int, error)
	read(p []byte) (int, error)
	screen(p []byte) (int, error)
	ioctl(req uint, arg int) (int, error) // the number that it gives
}

type linuxTerminal struct{ master, slave int }

func openLinux(t *testing.T) *linuxTerminal {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no pseudo terminals here to compare with: ", err)
	}
	t.Cleanup(func() { unix.Close(m) })
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(s) })
	return &linuxTerminal{m, s}
}

func (l *linuxTerminal) set(m Termios) {
	x := &unix.Termios{Iflag: m.Iflag, Oflag: m.Oflag, Cflag: m.Cflag, Lflag: m.Lflag, Line: m.Line}
	copy(x.Cc[:], m.Cc[:])
	if err := unix.IoctlSetTermios(l.slave, unix.TCSETS, x); err != nil {
		panic(err)
	}
}

func (l *linuxTerminal) get() Termios {
	x, err := unix.IoctlGetTermios(l.slave, unix.TCGETS2)
	if err != nil {
		panic(err)
	}
	m := Termios{Iflag: x.Iflag, Oflag: x.Oflag, Cflag: x.Cflag, Lflag: x.Lflag, Line: x.Line, Ispeed: x.Ispeed, Ospeed: x.Ospeed}
	copy(m.Cc[:], x.Cc[:])
	return m
}

func (l *linuxTerminal) typeIn(p []byte) (int, error) { return count(unix.Write(l.master, p)) }
func (l *linuxTerminal) print(p []byte) (int, error)  { return count(unix.Write(l.slave, p)) }
func (l *linuxTerminal) read(p []byte) (int, error)   { return count(unix.Read(l.slave, p)) }
func (l *linuxTerminal) screen(p []byte) (int, error) { return count(unix.Read(l.master, p)) }

func count(n int, err error) (int, error) { return max(n, 0), err }

func (l *linuxTerminal) ioctl(req uint, arg int) (int, error) {
	switch req {
	case TCFLSH, TCXONC:
		return 0, unix.IoctlSetInt(l.slave, req, arg)
	}
	return unix.IoctlGetInt(l.slave, req)
}

// ourTerminal is one of ours.
type ourTerminal struct {
	set_    *Terminals
	process *process
	master  *masterFile
	slave   *file
}

type process struct{ signals []syscall.Signal }

func (p *process) Ids() (int, int)           { return 7, 5 }
func (p *process) Signal(sig syscall.Signal) { p.signals = append(p.signals, sig) }

type node struct{ fs.Unsupported }

func (node) Ref()                     {}
func (node) Unref()                   {}
func (node) Getattr(a *fs.Attr) error { *a = fs.Attr{}; return nil }

func openOurs(t *testing.T) *ourTerminal {
	t.Helper()
	p := &process{}
	s := NewTerminals(p)
	m, err := s.OpenMaster(node{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := &ourTerminal{set_: s, process: p, master: m.(*masterFile)}
	if _, err := s.OpenSlave(0, node{}, 0); err != syscall.EIO {
		t.Errorf("opening a locked slave: %v, want EIO", err)
	}
	if _, _, err := o.master.Ioctl(TIOCSPTLCK, 0, make([]byte, 4), nil); err != nil {
		t.Fatal(err)
	}
	f, err := s.OpenSlave(0, node{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	o.slave = f.(*file)
	return o
}

func (o *ourTerminal) set(m Termios) {
	b := make([]byte, sizeTermios)
	m.Encode(b)
	if _, _, err := o.slave.Ioctl(TCSETS, 0, b, b); err != nil {
		panic(err)
	}
}

func (o *ourTerminal) get() (m Termios) {
	b := make([]byte, SizeTermios2)
	if _, _, err := o.slave.Ioctl(TCGETS2, 0, nil, b); err != nil {
		panic(err)
	}
	m.Decode(b)
	return m
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func again(n int, err error) (int, error) {
	if err == syscall.EINTR {
		err = syscall.EAGAIN
	}
	return n, err
}

func (o *ourTerminal) typeIn(p []byte) (int, error) { return again(o.master.WriteUntil(p, closed)) }
func (o *ourTerminal) print(p []byte) (int, error)  { return again(o.slave.WriteUntil(p, closed)) }
func (o *ourTerminal) read(p []byte) (int, error)   { return again(o.slave.ReadUntil(p, closed)) }
func (o *ourTerminal) screen(p []byte) (int, error) { return again(o.master.ReadUntil(p, closed)) }

func (o *ourTerminal) ioctl(req uint, arg int) (int, error) {
	b := make([]byte, 4)
	_, _, err := o.slave.Ioctl(uint32(req), uint64(arg), b, b)
	return number(b), err
}

// hangs is what is waited for at most, on a machine with much else to do.
const hangs = 20 * time.Second

// contest drives both.
type contest struct {
	t     *testing.T
	linux *linuxTerminal
	ours  *ourTerminal
	done  []string // what was done so far
}

func newContest(t *testing.T) *contest {
	return &contest{t: t, linux: openLinux(t), ours: openOurs(t)}
}

func (c *contest) step(format string, args ...any) {
	c.done = append(c.done, fmt.Sprintf(format, args...))
}

func (c *contest) fail(what string, ours, linux any) {
	c.t.Helper()
	c.t.Fatalf("%s\n%s: ours %.400v, Linux %.400v\nsettings %+v", strings.Join(c.done[max(0, len(c.done)-30):], "\n"), what, ours, linux, c.ours.get())
}

func (c *contest) set(m Termios) {
	c.t.Helper()
	c.step("set %+v", m)
	c.ours.set(m)
	c.linux.set(m)
	if ours, linux := c.ours.get(), c.linux.get(); ours != linux {
		c.fail("settings", ours, linux)
	}
	c.screen()
}

func (c *contest) typeIn(s string) {
	c.t.Helper()
	c.step("type %.300q", s)
	n, err := c.ours.typeIn([]byte(s))
	k, err2 := c.linux.typeIn([]byte(s))
	if n != k || err != err2 {
		c.fail("typed", fmt.Sprint(n, err), fmt.Sprint(k, err2))
	}
	c.settle()
	c.screen()
}

// settle returns when Linux's work queue has passed on what was typed: poll
// waits for it if there is nothing to read yet.
func (c *contest) settle() {
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(c.linux.slave), Events: unix.POLLIN}}, 0)
}

func (c *contest) print(s string) {
	c.t.Helper()
	c.step("print %q", s)
	n, err := c.ours.print([]byte(s))
	k, err2 := c.linux.print([]byte(s))
	if n != k || err != err2 {
		c.fail("printed", fmt.Sprint(n, err), fmt.Sprint(k, err2))
	}
	c.screen()
}

// screen compares what is shown.
func (c *contest) screen() {
	c.t.Helper()
	var ours, linux []byte
	buf := make([]byte, 8192)
	for {
		n, err := c.ours.screen(buf)
		ours = append(ours, buf[:n]...)
		if err != nil || n == 0 {
			break
		}
	}
	for end := time.Now().Add(hangs); ; {
		n, err := c.linux.screen(buf)
		linux = append(linux, buf[:n]...)
		if err == nil && n > 0 {
			continue
		}
		if len(linux) >= len(ours) || !bytes.HasPrefix(ours, linux) || time.Now().After(end) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !bytes.Equal(ours, linux) {
		c.fail("screen", fmt.Sprintf("%q", ours), fmt.Sprintf("%q", linux))
	}
}

// read compares a read of at most n bytes and returns whether there was anything.
func (c *contest) read(n int) bool {
	c.t.Helper()
	c.step("read %d", n)
	a, b := make([]byte, n), make([]byte, n)
	k, err := c.ours.read(a)
	var l int
	var err2 error
	for end := time.Now().Add(hangs); ; time.Sleep(time.Millisecond) {
		l, err2 = c.linux.read(b)
		if err2 != unix.EAGAIN || err != nil || time.Now().After(end) {
			break
		}
	}
	if err2 == unix.EAGAIN {
		err2 = syscall.EAGAIN
	}
	if err != err2 || !bytes.Equal(a[:k], b[:l]) {
		c.fail("read", fmt.Sprintf("%q %v", a[:k], err), fmt.Sprintf("%q %v", b[:l], err2))
	}
	c.screen()
	return err == nil && k > 0
}

// waiting compares how much there is to read.
func (c *contest) waiting() {
	c.t.Helper()
	c.step("waiting")
	n, err := c.ours.ioctl(TIOCINQ, 0)
	var k int
	var err2 error
	for end := time.Now().Add(hangs); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if k, err2 = c.linux.ioctl(TIOCINQ, 0); k == n {
			break
		}
	}
	if n != k || err != nil || err2 != nil {
		c.fail("FIONREAD", fmt.Sprint(n, err), fmt.Sprint(k, err2))
	}
}

// drain reads everything, in pieces of any size.
func (c *contest) drain() {
	c.t.Helper()
	c.step("drain")
	ours := readAll(c.ours)
	var linux []byte
	for end := time.Now().Add(hangs); ; time.Sleep(time.Millisecond) {
		linux = append(linux, readAll(c.linux)...)
		if len(linux) >= len(ours) || time.Now().After(end) {
			break
		}
	}
	if !bytes.Equal(ours, linux) {
		c.fail("read", fmt.Sprintf("%q", ours), fmt.Sprintf("%q", linux))
	}
	c.screen()
}

// readAll reads until there is nothing more.
func readAll(t terminal) (all []byte) {
	buf := make([]byte, 5000)
	for range 10000 { // ends of the file are without end where VMIN is 0
		n, err := t.read(buf)
		if err != nil || n == 0 && t.get().Cc[VMIN] == 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	return all
}

func with(change func(m *Termios)) Termios {
	m := Default()
	change(&m)
	return m
}

// TestLikeLinux has what is typed taken as Linux takes it.
func TestLikeLinux(t *testing.T) {
	raw := with(func(m *Termios) { m.Iflag, m.Oflag, m.Lflag = 0, 0, 0 })
	long := strings.Repeat("0123456789", 500)
	for _, tt := range []struct {
		name  string
		set   Termios
		typed []string
	}{
		{"plain", Default(), []string{"hello\r", "a\tb\n", "\x04", "abc\x04", "\x01\x1f\x7f\n"}},
		{"erase", Default(), []string{"abc\x7f\x7fx\r", "\x7f\x7f", "a\x01b\x7f\x7f\x7f\x7f\r", "é\x7f\r"}},
		{"erase utf8", with(func(m *Termios) { m.Iflag |= IUTF8 }), []string{"aé\x7f\r", "日本\x7f\x7f\x7f語\r", "\x80\x80\x7f\r", "x\x80\x80\x7f\r"}},
		{"erase tab", Default(), []string{"ab\tc\td\x7f\x7f\x7f\x7f\x7f\x7f\r", "\t\t\x7f\x7f", "\x01\t\x7f\r"}},
		{"erase word", Default(), []string{"one two  three\x17\x17x\r", "a.b_c--\x17\x17\x17\x17", "\xe9t\xe9 \xd7\x17\x17\n"}},
		{"kill", Default(), []string{"some\tthing\x15\x15other\r"}},
		{"kill without ECHOKE", with(func(m *Termios) { m.Lflag &^= ECHOKE }), []string{"some\x15other\r"}},
		{"kill without ECHOK", with(func(m *Termios) { m.Lflag &^= ECHOK | ECHOKE }), []string{"some\x15other\r"}},
		{"without ECHOE", with(func(m *Termios) { m.Lflag &^= ECHOE }), []string{"some\x7f\x7f\x15other\x17x\r"}},
		{"ECHOPRT", with(func(m *Termios) { m.Lflag |= ECHOPRT; m.Iflag |= IUTF8 }), []string{"söme\x7f\x7f\x7fx\x17\x15\r", "abc\x7f\r", "abc\x7f\x12\x7f\x16y\n"}},
		{"without ECHOCTL", with(func(m *Termios) { m.Lflag &^= ECHOCTL }), []string{"a\x01\x7f\x7f\x16\x03\x12\r"}},
		{"without ECHO", with(func(m *Termios) { m.Lflag &^= ECHO }), []string{"secret\x7f\x7f\x15x\x16\x15\x12\r"}},
		{"ECHONL", with(func(m *Termios) { m.Lflag = m.Lflag&^ECHO | ECHONL }), []string{"secret\r"}},
		{"reprint", Default(), []string{"ab\tc\x01\x12d\r"}},
		{"literal", Default(), []string{"a\x16\x7f\x16\x16\x16\r\x16\x03\x16\x04\r", "\x16"}},
		{"without IEXTEN", with(func(m *Termios) { m.Lflag &^= IEXTEN }), []string{"a b\x17\x16\x12\r"}},
		{"ends of lines", with(func(m *Termios) { m.Cc[VEOL], m.Cc[VEOL2] = ';', '|' }), []string{"a;b|c\n", "\x04\x04", "x\x04y\x04\n"}},
		{"INLCR", with(func(m *Termios) { m.Iflag = INLCR }), []string{"a\nb\rc\x04"}},
		{"IGNCR", with(func(m *Termios) { m.Iflag = IGNCR | ICRNL }), []string{"a\rb\n"}},
		{"ISTRIP", with(func(m *Termios) { m.Iflag |= ISTRIP }), []string{"a\xe1\x8d"}},
		{"IUCLC", with(func(m *Termios) { m.Iflag |= IUCLC; m.Oflag |= OLCUC }), []string{"aBC\xc9\xd7\xff\xdf\r"}},
		{"PARMRK", with(func(m *Termios) { m.Iflag |= PARMRK }), []string{"a\xffb\xff\x7f\x7f\r", "\xff\xff\n"}},
		{"flow", Default(), []string{"a\x13b", "c\x11d\r", "\x13\x13e\x11\x11f\r"}},
		{"IXANY", with(func(m *Termios) { m.Iflag |= IXANY }), []string{"a\x13", "b", "\x13", "\r"}},
		{"IXANY and stopped again", with(func(m *Termios) { m.Iflag |= IXANY }), []string{"a\x13bc\x13", "d\x13e\x11f\x13g", "h"}},
		{"signals", Default(), []string{"abc", "\x03", "def\r", "gh", "\x1c", "i\r", "j", "\x1a", "\r"}},
		{"NOFLSH", with(func(m *Termios) { m.Lflag |= NOFLSH }), []string{"abc\x03def\r", "g\x1c\x1a\r"}},
		{"signals at once", Default(), []string{"abc\x03def\r"}},
		{"cbreak", with(func(m *Termios) { m.Lflag &^= ICANON }), []string{"a\r\n\x01\x7f\x04\x15", "\x03x"}},
		{"cbreak INLCR", with(func(m *Termios) { m.Lflag &^= ICANON; m.Iflag |= INLCR }), []string{"a\r\nb"}},
		{"raw", raw, []string{"a\r\n\x00\x03\x11\x13\xff", long}},
		{"EXTPROC", with(func(m *Termios) { m.Lflag |= EXTPROC }), []string{"a\x7f\r\x03"}},
		{"long line", Default(), []string{long, "\x7f\x7fy", "\r"}},
		{"many lines", Default(), []string{strings.Repeat("some line\r", 300)}},
		{"no control characters", with(func(m *Termios) { m.Cc = [nccs]uint8{} }), []string{"a\x00\x03\x04\x7f\x15\x16\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newContest(t)
			c.set(tt.set)
			for _, s := range tt.typed {
				c.typeIn(s)
				c.waiting()
			}
			c.print("after\r\n\t|\b\a\x7f\r\r\ne\u0301nd\n")
			c.drain()
		})
	}
}

// TestOutputLikeLinux: the output modes, and the column that they lead to.
func TestOutputLikeLinux(t *testing.T) {
	for o := range uint32(0x40) {
		for _, tabs := range []uint32{0, XTABS} {
			c := newContest(t)
			c.set(with(func(m *Termios) { m.Oflag = o | tabs; m.Iflag |= IUTF8 }))
			c.print("one\ttwo\nthree\r\n\r\rfour\bé\tß\x01\t\x7f\t\xff\n\tABCabc\b\b\b\b\b\b\b\b\b\b\b\b\t|\n\n")
			c.typeIn("a\tb\r")
			c.print("x\n\ty")
			c.typeIn("ab\tc\x7f\x7f\r")
		}
	}
}

// TestModesLikeLinux: what is waiting when the settings change.
func TestModesLikeLinux(t *testing.T) {
	raw := with(func(m *Termios) { m.Lflag &^= ICANON })
	for _, typed := range []string{"abc", "abc\r", "ab\rcd", "\x04", "ab\x04", "ab\x04cd\r\x04"} {
		for _, size := range []int{1, 2, 3, 100} {
			c := newContest(t)
			c.typeIn(typed)
			c.set(raw)
			c.waiting()
			c.read(size)
			c.set(Default())
			c.waiting()
			c.typeIn("x\r")
			for range 12 {
				c.read(size)
			}
			c.typeIn(typed)
			for range 12 {
				c.read(size)
			}
		}
	}
}

func TestMinTimeLikeLinux(t *testing.T) {
	for _, min := range []uint8{0, 1, 3, 200} {
		for _, tenths := range []uint8{0, 1} {
			c := newContest(t)
			c.set(with(func(m *Termios) { m.Lflag = 0; m.Cc[VMIN], m.Cc[VTIME] = min, tenths }))
			for _, s := range []string{"", "a", "bc", "def", "ghijklm"} {
				if s != "" {
					c.typeIn(s)
				}
				c.waiting()
				c.read(2)
				c.read(5)
			}
		}
	}
}

// flags are those that the random settings are made of.
var flags = struct{ i, o, l []uint32 }{
	[]uint32{PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IUTF8},
	[]uint32{OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, XTABS},
	[]uint32{ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, ECHOCTL, ECHOPRT, ECHOKE, IEXTEN, EXTPROC},
}

func randomTermios(r *rand.Rand) Termios {
	m := Default()
	if r.IntN(4) == 0 {
		m.Lflag &^= ICANON
	}
	for range r.IntN(6) {
		switch r.IntN(3) {
		case 0:
			m.Iflag ^= flags.i[r.IntN(len(flags.i))]
		case 1:
			m.Oflag ^= flags.o[r.IntN(len(flags.o))]
		default:
			m.Lflag ^= flags.l[r.IntN(len(flags.l))]
		}
	}
	if r.IntN(4) == 0 {
		m.Cc[r.IntN(nccs)] = "\x00\x03\x04;x\n\r\xff\x13"[r.IntN(9)]
	}
	m.Cc[VTIME] = 0 // nobody waits here
	return m
}

// randomKeys is something to type.
func randomKeys(r *rand.Rand) string {
	const keys = "\x03\x04\x7f\x15\x17\x16\x12\x1a\x1c\r\n\t\x01\x11\x13;|\xff\x00é日 .aB_09"
	var b []byte
	for range 1 + r.IntN(8) {
		if len(b) == 0 || r.IntN(2) == 0 {
			b = append(b, "some words\there"[:1+r.IntN(14)]...)
		} else {
			b = append(b, keys[r.IntN(len(keys))])
		}
	}
	return string(b)
}

func (c *contest) stopped() bool {
	t := c.ours.slave.t
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.d.stopped
}

// drainUnseen leaves nothing to read where what is typed does not show at once:
// with something there, nothing tells when Linux has processed what came last.
func (c *contest) drainUnseen() {
	c.t.Helper()
	t := c.ours.slave.t
	t.mu.Lock()
	seen := t.d.termios.l(ECHO) && !t.d.termios.l(EXTPROC) && !t.d.stopped
	t.mu.Unlock()
	if !seen {
		c.drain()
	}
}

// play does something random, by seed.
func play(t *testing.T, seed uint64, steps int) {
	r := rand.New(rand.NewPCG(seed, 1))
	c := newContest(t)
	c.step("seed %d", seed)
	for range steps {
		switch r.IntN(10) {
		case 0:
			c.drain() // what Linux has not processed yet would be by the new settings
			c.set(randomTermios(r))
			c.drainUnseen()
		case 1, 2:
			c.print(randomKeys(r))
		case 3, 4:
			c.read(1 + r.IntN(20))
		case 5:
			c.drain()
			_, err := c.ours.ioctl(TCFLSH, TCIFLUSH)
			_, err2 := c.linux.ioctl(TCFLSH, TCIFLUSH)
			if c.step("flush"); err != err2 {
				c.fail("flush", err, err2)
			}
		case 6:
			how := r.IntN(2)
			_, err := c.ours.ioctl(TCXONC, how)
			_, err2 := c.linux.ioctl(TCXONC, how)
			if c.step("TCXONC %d", how); err != err2 {
				c.fail("TCXONC", err, err2)
			}
			c.print(".") // after TCOON Linux shows what was typed when something more comes
			c.drainUnseen()
		default:
			keys := randomKeys(r)
			if strings.ContainsAny(keys, "\x03\x1a\x1c") {
				if c.stopped() {
					continue
				}
				// A signal throws away what Linux's work queue has not yet taken to
				// the master. Only what starts output has some shown before the end.
				keys = strings.NewReplacer("\x11", "", "\x13", "").Replace(keys)
			}
			if strings.IndexByte(keys, c.ours.get().Cc[VSTOP]) >= 0 {
				c.drain()
			}
			c.typeIn(keys)
			c.drainUnseen()
			c.waiting()
		}
	}
	c.drain()
}

func TestRandomLikeLinux(t *testing.T) {
	n := uint64(300)
	if testing.Short() {
		n = 30
	}
	for seed := range n {
		play(t, seed, 40)
	}
}

func FuzzLikeLinux(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { play(t, seed, 60) })
}
