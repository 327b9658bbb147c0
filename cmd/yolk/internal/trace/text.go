package trace

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// textWriter writes a line for each event. A begin that its end follows at once has one
// line with that.
type textWriter struct {
	w    io.Writer
	held *Record
	err  error
}

func (t *textWriter) record(r *Record) {
	if h := t.held; h != nil {
		t.held = nil
		if r.Begun == h && r.Served == nil {
			t.line(h, r)
			return
		}
		t.line(h, nil)
	}
	if r.Served != nil {
		t.served(r)
	}
	if r.Phase == Begin {
		t.held = r
		return
	}
	t.line(r, nil)
}

// pause writes what was held back: nothing is known of what comes next.
func (t *textWriter) pause() {
	if t.held != nil {
		t.line(t.held, nil)
		t.held = nil
	}
}

func (t *textWriter) close(lost uint64) error {
	t.pause()
	if lost > 0 {
		t.print(fmt.Sprintf("%d events were lost: they came faster than the launcher took them\n", lost))
	}
	return t.err
}

func (t *textWriter) print(text string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, text)
	}
}

// served writes a line for what the file server has done for a request that has ended.
func (t *textWriter) served(r *Record) {
	depth := 2 * (r.Depth + 1)
	t.print(fmt.Sprintf("%s %-6s %*sserver of %s: %s <%v, ±%v>\n", clock(r.Served.From), "host", depth, "", tagOf(r.Share), r.Name,
		round(r.Served.To-r.Served.From), round(r.Served.Error)))
}

// clock prints a time since the boot, in seconds.
func clock(ns int64) string { return fmt.Sprintf("%5d.%06d", ns/1e9, ns%1e9/1e3) }

// line writes r, and with it its end, if that is not nil.
func (t *textWriter) line(r, end *Record) {
	var b strings.Builder
	b.WriteString(clock(r.Time) + " ")
	who := "cpu" + strconv.Itoa(int(r.CPU))
	if !r.OfCPU() {
		who = "g" + strconv.FormatUint(r.G, 10)
	}
	fmt.Fprintf(&b, "%-6s %*s", who, 2*r.Depth, "")
	switch {
	case r.Begun == nil:
		b.WriteString(Describe(r))
		if end != nil {
			b.WriteString(" " + Result(end))
		} else if r.Phase == AsyncBegin {
			b.WriteString(" …")
		}
	case r.Phase == AsyncEnd:
		b.WriteString(r.Name + " " + Result(r))
	default:
		b.WriteString("… " + r.Name + " " + Result(r))
	}
	b.WriteByte('\n')
	t.print(b.String())
}

// Describe says what an event is, but not how it ended: openat(AT_FDCWD, "/etc/hosts", O_RDONLY).
func Describe(r *Record) string {
	e := &r.Event
	switch r.Kind {
	case wire.Call:
		return r.Name + "(" + arguments(r) + ")"
	case wire.Fuse:
		text := r.Name
		if r.Path != "" {
			text += " " + strconv.Quote(r.Path)
		} else {
			text += " node " + strconv.FormatUint(e.A, 10)
		}
		if hasOffset(r.Name) {
			text += " at " + strconv.FormatUint(e.C, 10)
		}
		return text + fmt.Sprintf(" (%s, node %d, unique %d, %d bytes)", r.Share, e.A, uint32(e.B), e.B>>32)
	case wire.Notify:
		return fmt.Sprintf("notify %s queue %d", r.Name, int32(e.B))
	case wire.Interrupt:
		switch int32(e.B) {
		case -1:
			return "interrupt " + r.Name + " configuration"
		case wire.AnyQueue:
			return "interrupt " + r.Name
		}
		return fmt.Sprintf("interrupt %s queue %d", r.Name, int32(e.B))
	case wire.Sched:
		switch w := r.Woken; {
		case r.Phase == Instant:
			return "wake " + r.Name
		case w == nil:
		case w.G == 0:
			return fmt.Sprintf("%s (woken by a timer or the runtime %v ago)", r.Name, round(r.Time-w.Time))
		default:
			return fmt.Sprintf("%s (woken by goroutine %d %v ago)", r.Name, w.G, round(r.Time-w.Time))
		}
	}
	return r.Name
}

func hasOffset(op string) bool {
	switch op {
	case "READ", "WRITE", "READDIR", "READDIRPLUS", "LSEEK", "FALLOCATE":
		return true
	}
	return false
}

// Result says how something ended: = 3 <12µs>.
func Result(r *Record) string {
	text := ""
	e := &r.Event
	switch {
	case r.Unfinished:
		return fmt.Sprintf("= ? (unfinished) <%v>", round(r.Dur))
	case e.Errno != 0:
		text = "= " + errnoName(e.Errno)
	case r.Kind == wire.Call:
		text = "= " + word(e.A)
	case r.Kind == wire.Fuse && e.A != 0:
		text = fmt.Sprintf("= node %d, %d bytes", e.A, e.B>>32)
	case r.Kind == wire.Fuse:
		text = fmt.Sprintf("= %d bytes", e.B>>32)
	case r.Kind == wire.Idle:
		text = "= timers " + strconv.FormatUint(e.A, 10)
	case r.Left != "":
		text = "= " + r.Left
	}
	if text != "" {
		text += " "
	}
	return text + "<" + round(r.Dur).String() + ">"
}

func round(ns int64) time.Duration {
	d := time.Duration(ns)
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(time.Microsecond)
	}
	return d
}

func errnoName(n uint16) string {
	if name := unix.ErrnoName(unix.Errno(n)); name != "" {
		return name
	}
	return "errno " + strconv.Itoa(int(n))
}

// word prints a number as a person would: small ones, also negative, in decimal.
func word(n uint64) string {
	if int64(n) >= -1<<31 && int64(n) < 1<<40 {
		return strconv.FormatInt(int64(n), 10)
	}
	return "0x" + strconv.FormatUint(n, 16)
}

// arguments are those of a call, as far as they were noted.
func arguments(r *Record) string {
	e := &r.Event
	first, second, two := strings.Cut(e.Name, "\x00")
	name := strconv.Quote(first)
	if len(e.Name) == wire.MaxName {
		name += "…"
	}
	fd := func(n uint64) string {
		text := strconv.Itoa(int(int32(n)))
		if int32(n) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		if r.Path != "" && e.Name == "" {
			text += "<" + r.Path + ">"
		}
		return text
	}
	switch r.Name {
	case "openat":
		text := fd(e.A) + ", " + name + ", " + openFlags(e.B)
		if e.B&unix.O_CREAT != 0 {
			text += fmt.Sprintf(", %#o", e.C)
		}
		return text
	case "newfstatat":
		if !e.Is(wire.ByNumber) {
			return fd(e.A) + ", " + name + ", " + word(e.B)
		}
	case "close", "fstat", "interrupt":
		return fd(e.A)
	case "read", "write", "getdents64":
		if !e.Is(wire.ByNumber) {
			return fd(e.A) + ", " + word(e.B)
		}
	case "pread64", "pwrite64":
		if !e.Is(wire.ByNumber) {
			return fd(e.A) + ", " + word(e.B) + ", " + word(e.C)
		}
	case "lseek":
		return fd(e.A) + ", " + word(e.B) + ", " + word(e.C)
	case "wait":
		return fd(e.A) + ", " + strconv.QuoteRune(rune(e.B&0x7f))
	case "set_deadline":
		return fd(e.A) + ", " + word(e.B) + ", " + word(e.C)
	}
	if e.Name == "" {
		if takesFile(r.Name) {
			return fd(e.A) + ", " + word(e.B) + ", " + word(e.C)
		}
		return word(e.A) + ", " + word(e.B) + ", " + word(e.C)
	}
	text := name
	if takesDir(r.Name) {
		text = fd(e.A) + ", " + text
	}
	if two {
		text += ", " + strconv.Quote(second)
	}
	return text
}

// openFlags are the flags of open(2) by their names.
func openFlags(flags uint64) string {
	text := []string{"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"}[flags&3]
	flags &^= 3
	for _, f := range []struct {
		name string
		flag uint64
	}{
		{"O_CREAT", unix.O_CREAT}, {"O_EXCL", unix.O_EXCL}, {"O_TRUNC", unix.O_TRUNC}, {"O_APPEND", unix.O_APPEND},
		{"O_NONBLOCK", unix.O_NONBLOCK}, {"O_SYNC", unix.O_SYNC}, {"O_DIRECTORY", unix.O_DIRECTORY}, {"O_NOFOLLOW", unix.O_NOFOLLOW},
		{"O_CLOEXEC", unix.O_CLOEXEC}, {"O_PATH", unix.O_PATH},
	} {
		if flags&f.flag == f.flag {
			text += "|" + f.name
			flags &^= f.flag
		}
	}
	if flags != 0 {
		text += fmt.Sprintf("|%#x", flags)
	}
	return text
}
