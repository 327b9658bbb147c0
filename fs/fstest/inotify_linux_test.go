package fstest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// watchSys is a system with inotify.
type watchSys interface {
	Sys
	InotifyInit1(flags int) (int, syscall.Errno)
	InotifyAddWatch(fd int, path string, mask uint32) (int, syscall.Errno)
	InotifyRmWatch(fd, wd int) syscall.Errno
}

type watchLinux struct{ Linux }

func (watchLinux) InotifyInit1(flags int) (int, syscall.Errno) {
	fd, err := unix.InotifyInit1(flags)
	return fd, no(err)
}

func (watchLinux) InotifyAddWatch(fd int, path string, mask uint32) (int, syscall.Errno) {
	wd, err := unix.InotifyAddWatch(fd, path, mask)
	return wd, no(err)
}

func (watchLinux) InotifyRmWatch(fd, wd int) syscall.Errno {
	_, err := unix.InotifyRmWatch(fd, uint32(wd))
	return no(err)
}

// watchPlay is a sequence of operations on a system whose files below dir are
// watched. What the operations answer, and the events, are its log.
type watchPlay struct {
	s       watchSys
	dir     string
	fd      int
	files   map[string]int // descriptors by a name of the play's
	cookies map[uint32]int // in the order of appearance
	settle  func()
	log     []string
}

func newWatchPlay(s watchSys, dir string) *watchPlay {
	p := &watchPlay{s: s, dir: dir, files: map[string]int{}, cookies: map[uint32]int{}, settle: func() {}}
	var e syscall.Errno
	p.fd, e = s.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	p.say("init", e)
	return p
}

func (p *watchPlay) say(what string, result any) {
	p.log = append(p.log, fmt.Sprintf("%s: %v", what, result))
}

func (p *watchPlay) end() {
	for _, fd := range p.files {
		p.s.Close(fd)
	}
	p.s.Close(p.fd)
}

// do does an operation, given as words, and logs what it answers and which
// events there are then.
func (p *watchPlay) do(line string) {
	w := strings.Fields(line)
	arg := func(i int) string {
		if i < len(w) {
			return filepath.Join(p.dir, w[i])
		}
		return ""
	}
	var e syscall.Errno
	s := p.s
	switch w[0] {
	case "watch": // path, flags
		var wd int
		wd, e = s.InotifyAddWatch(p.fd, arg(1), watchMask(w[2]))
		if e == 0 {
			p.say("wd", wd)
		}
	case "unwatch":
		var wd int
		fmt.Sscan(w[1], &wd)
		e = s.InotifyRmWatch(p.fd, wd)
	case "open": // key, path, flags
		if fd, ok := p.files[w[1]]; ok {
			s.Close(fd)
			delete(p.files, w[1])
		}
		var fd int
		if fd, e = s.Openat(cwd, arg(2), openFlags(w[3]), 0o644); e == 0 {
			p.files[w[1]] = fd
		}
	case "close":
		if fd, ok := p.files[w[1]]; ok {
			e = s.Close(fd)
			delete(p.files, w[1])
		}
	case "read", "write", "getdents", "cut", "fallocate", "fchmod", "copy":
		fd, ok := p.files[w[1]]
		if !ok {
			break
		}
		switch w[0] {
		case "read":
			_, e = s.Read(fd, make([]byte, 4))
		case "write":
			_, e = s.Write(fd, []byte("data"))
		case "getdents":
			_, e = s.ReadDirent(fd, make([]byte, 4096))
		case "cut":
			e = s.Ftruncate(fd, 2)
		case "fallocate":
			e = s.Fallocate(fd, 0, 0, 8)
		case "fchmod":
			e = s.Fchmod(fd, 0o700) // of a directory as well, in which an ordinary user goes on
		case "copy":
			if to, ok := p.files[w[2]]; ok {
				from, at := int64(0), int64(0)
				_, e = s.CopyFileRange(fd, &from, to, &at, 4, 0)
			}
		}
	case "put": // as os.WriteFile does
		var fd int
		if fd, e = s.Openat(cwd, arg(1), unix.O_CREAT|unix.O_TRUNC|unix.O_WRONLY, 0o644); e == 0 {
			_, e = s.Write(fd, []byte("data"))
			s.Close(fd)
		}
	case "mkdir":
		e = s.Mkdirat(cwd, arg(1), 0o755)
	case "mknod":
		e = s.Mknodat(cwd, arg(1), unix.S_IFREG|0o644, 0)
	case "symlink":
		e = s.Symlinkat("target", cwd, arg(1))
	case "link":
		e = s.Linkat(cwd, arg(1), cwd, arg(2), 0)
	case "unlink":
		e = s.Unlinkat(cwd, arg(1), 0)
	case "rmdir":
		e = s.Unlinkat(cwd, arg(1), rmdir)
	case "rename":
		e = s.Renameat2(cwd, arg(1), cwd, arg(2), 0)
	case "exchange":
		e = s.Renameat2(cwd, arg(1), cwd, arg(2), unix.RENAME_EXCHANGE)
	case "truncate":
		e = s.Truncate(arg(1), 1)
	case "chmod":
		e = s.Fchmodat(cwd, arg(1), 0o700, 0)
	case "chown":
		e = s.Fchownat(cwd, arg(1), syscall.Getuid(), -1, 0)
	case "utimes", "atime", "mtime", "notime":
		ts := [2]syscall.Timespec{{Sec: 1}, {Sec: 2}}
		if w[0] == "mtime" || w[0] == "notime" {
			ts[0].Nsec = unix.UTIME_OMIT
		}
		if w[0] == "atime" || w[0] == "notime" {
			ts[1].Nsec = unix.UTIME_OMIT
		}
		e = s.Utimensat(cwd, arg(1), &ts, 0)
	case "setxattr":
		e = s.Setxattr(arg(1), "user.x", []byte("v"), 0, false)
	case "removexattr":
		e = s.Removexattr(arg(1), "user.x", false)
	case "stat":
		var st syscall.Stat_t
		e = s.Fstatat(cwd, arg(1), &st, 0)
	default:
		panic(line)
	}
	p.say(line, e)
	p.settle()
	p.drain()
}

// drain logs the events that there are.
func (p *watchPlay) drain() {
	buf := make([]byte, 64<<10)
	for {
		n, e := p.s.Read(p.fd, buf)
		if n <= 0 {
			if e != syscall.EAGAIN {
				p.say("read", e)
			}
			return
		}
		for b := buf[:n]; len(b) > 0; {
			wd := int32(binary.NativeEndian.Uint32(b))
			mask, cookie := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:])
			length := binary.NativeEndian.Uint32(b[12:])
			name := string(b[16:][:length])
			b = b[16+length:]
			if cookie != 0 {
				if _, ok := p.cookies[cookie]; !ok {
					p.cookies[cookie] = len(p.cookies) + 1
				}
				cookie = uint32(p.cookies[cookie])
			}
			p.log = append(p.log, fmt.Sprintf("    wd %d %s cookie %d %q", wd, maskString(mask), cookie, name))
		}
	}
}

var watchBits = []struct {
	bit  uint32
	name string
}{
	{unix.IN_ACCESS, "access"}, {unix.IN_MODIFY, "modify"}, {unix.IN_ATTRIB, "attrib"},
	{unix.IN_CLOSE_WRITE, "closewrite"}, {unix.IN_CLOSE_NOWRITE, "closenowrite"}, {unix.IN_OPEN, "open"},
	{unix.IN_MOVED_FROM, "movedfrom"}, {unix.IN_MOVED_TO, "movedto"}, {unix.IN_CREATE, "create"},
	{unix.IN_DELETE, "delete"}, {unix.IN_DELETE_SELF, "deleteself"}, {unix.IN_MOVE_SELF, "moveself"},
	{unix.IN_UNMOUNT, "unmount"}, {unix.IN_Q_OVERFLOW, "overflow"}, {unix.IN_IGNORED, "ignored"},
	{unix.IN_ONLYDIR, "onlydir"}, {unix.IN_DONT_FOLLOW, "dontfollow"}, {unix.IN_EXCL_UNLINK, "exclunlink"},
	{unix.IN_MASK_CREATE, "maskcreate"}, {unix.IN_MASK_ADD, "maskadd"}, {unix.IN_ISDIR, "isdir"},
	{unix.IN_ONESHOT, "oneshot"}, {unix.IN_ALL_EVENTS, "all"},
}

func maskString(mask uint32) string {
	var names []string
	for _, b := range watchBits[:len(watchBits)-1] {
		if mask&b.bit != 0 {
			names = append(names, b.name)
			mask &^= b.bit
		}
	}
	if mask != 0 {
		names = append(names, fmt.Sprintf("%#x", mask))
	}
	return strings.Join(names, "|")
}

func watchMask(names string) (mask uint32) {
	for _, n := range strings.Split(names, "|") {
		for _, b := range watchBits {
			if b.name == n {
				mask |= b.bit
			}
		}
	}
	return mask
}

func openFlags(names string) (flags int) {
	for _, n := range strings.Split(names, "|") {
		flags |= map[string]int{"r": unix.O_RDONLY, "w": unix.O_WRONLY, "rw": unix.O_RDWR, "creat": unix.O_CREAT, "excl": unix.O_EXCL,
			"trunc": unix.O_TRUNC, "append": unix.O_APPEND, "dir": unix.O_DIRECTORY, "path": unix.O_PATH, "tmp": unix.O_TMPFILE}[n]
	}
	return flags
}

// compareWatch plays lines on Linux and on tmpfs.
func compareWatch(t *testing.T, lines []string) {
	t.Helper()
	compareWatchOn(t, NewKernel(tmpfs.New(tmpfs.Limits{})), func() {}, lines)
}

// compareWatchOn plays lines on Linux and on k. Settle returns when no event of
// k is under way.
func compareWatchOn(t *testing.T, k *syscalls.Kernel, settle func(), lines []string) {
	t.Helper()
	if text := watchDifference(t, k, settle, lines); text != "" {
		t.Fatal(text)
	}
}

// watchDifference tells where Linux and k have different events first; empty: nowhere.
func watchDifference(t *testing.T, k *syscalls.Kernel, settle func(), lines []string) string {
	t.Helper()
	dir := t.TempDir()
	for at := 1; at < len(dir); at++ {
		if dir[at] == '/' {
			k.Mkdirat(cwd, dir[:at], 0o755)
		}
	}
	k.Mkdirat(cwd, dir, 0o755)
	want, got := newWatchPlay(watchLinux{}, dir), newWatchPlay(k, dir)
	got.settle = settle
	defer want.end()
	defer got.end()
	for i, line := range lines {
		from := len(want.log)
		want.do(line)
		got.do(line)
		if !slices.Equal(want.log[from:], got.log[from:]) {
			return fmt.Sprintf("after\n\t%s\nLinux:\n%s\nhere:\n%s", strings.Join(lines[max(0, i-40):i], "\n\t"),
				strings.Join(want.log[from:], "\n"), strings.Join(got.log[from:], "\n"))
		}
	}
	return ""
}

// watchCases are sequences of operations, each for a rule of inotify(7).
var watchCases = map[string]string{
	"create and write":  "watch . all; open a f creat|w; write a; write a; close a; put f; put g; unlink f",
	"file itself":       "put f; watch f all; put f; chmod f; link f g; unlink f; chmod g; put g; unlink g; put f",
	"both":              "put f; watch . all; watch f all; put f; rename f g; chmod g; unlink g",
	"open file removed": "put f; watch . all; watch f all; open a f rw; unlink f; write a; fchmod a; read a; close a",
	"exclunlink":        "put f; watch . all|exclunlink; open a f rw; unlink f; write a; fchmod a; cut a; close a",
	"two names open":    "put f; link f g; watch f all; open a f rw; open b g r; unlink f; unlink g; close a; close b; stat f",
	"directories":       "watch . all; mkdir d; watch d all; mkdir d/e; put d/f; open a d dir; getdents a; getdents a; close a; unlink d/f; rmdir d/e; rmdir d",
	"open directory":    "mkdir d; watch d all; open a d dir; rmdir d; getdents a; close a",
	"rename over":       "put f; put g; watch . all; watch f all; watch g all; rename f g; put g; unlink g",
	"rename over open":  "put f; put g; watch f all; watch g all; open a g r; rename f g; close a",
	"rename across":     "mkdir d; mkdir e; put d/f; watch d all; watch e all; watch . all; rename d/f e/g; rename d e/d; rename e/d e/x",
	"rename to itself":  "put f; link f g; watch . all; watch f all; rename f g; rename f f; unlink f; unlink g",
	"rename directory":  "mkdir d; mkdir e; watch d all; watch e all; watch . all; rename d e; put e/f; unlink e/f; rmdir e",
	"exchange":          "put f; mkdir d; watch . all; watch f all; watch d all; exchange f d; unlink d; rmdir f",
	"attributes":        "put f; mkdir d; watch . all; watch f all; watch d all; chmod f; chown f; utimes f; atime f; mtime f; notime f; chmod d; utimes d; truncate f; setxattr f; removexattr f; setxattr d",
	"links":             "watch . all; symlink s; mknod n; link n m; link s z; watch s all|dontfollow; link s y; unlink s; unlink z; unlink y; watch s all",
	"space":             "put f; put g; watch . all; open a f rw; open b g rw; fallocate a; copy a b; cut b; read b; read b; read b; close a; close b",
	"empty read":        "mknod f; watch . all; open a f r; read a; close a; open a f path; close a",
	"flags":             "put f; watch f modify; watch f attrib|maskadd; put f; chmod f; watch f open; put f; watch f open|maskcreate; watch f open|maskcreate|maskadd; watch f onlydir|open; watch f; watch none all; watch . onlydir|open",
	"no events":         "watch . onlydir; watch . exclunlink; put f; unlink f",
	"one shot":          "put f; watch f open|oneshot; open a f r; open b f r; watch f open|oneshot; close a; open a f w; unwatch 1; unwatch 2; unwatch 99",
	"one shot both":     "put f; watch . all|oneshot; watch f all; put f; put f",
	"unwatch":           "put f; watch f all; watch . all; unwatch 1; put f; unwatch 1; unwatch 2; watch f all; unwatch 3; unwatch -1",
	"merging":           "put f; watch f modify|open; open a f rw; write a; write a; open b f r; write a; write a; close b; write a",
	"failures":          "mkdir d; put d/f; watch . all; mkdir d; rmdir d; unlink none; rename none x; open a none r; open a d/f creat|excl|w; unlink d; truncate d; link d e",
}

func TestInotifyAgainstLinux(t *testing.T) {
	for name, text := range watchCases {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			compareWatch(t, watchLines(text))
		})
	}
}

// watchLines are the operations of a case.
func watchLines(text string) (lines []string) {
	for _, l := range strings.Split(text, ";") {
		l = strings.TrimSpace(l)
		if len(strings.Fields(l)) == 2 && strings.HasPrefix(l, "watch") {
			l += " none"
		}
		lines = append(lines, l)
	}
	return lines
}

// TestInotifyRandom plays random operations with random watches.
func TestInotifyRandom(t *testing.T) {
	for play := range uint64(200) {
		compareWatch(t, randomWatchLines(play, true))
	}
}

// randomWatchLines are random operations, others for each play, links: with hard
// links.
func randomWatchLines(play uint64, links bool) []string {
	r := rand.New(rand.NewPCG(*seed, play))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	path := func() string { return pick("", "", "d/", "e/", "d/s/") + pick("a", "b", "d", "e", "s") }
	dir := func() string { return pick(".", "d", "e", "d/s") }
	key := func() string { return pick("1", "2", "3") }
	lines := []string{"mkdir d", "mkdir e", "mkdir d/s", "put a", "put d/a"}
	for range 150 {
		var l string
		switch r.IntN(24) {
		case 0, 1:
			l = "watch " + pick(path(), dir()) + " " + pick("all", "all", "all|exclunlink", "all|oneshot", "modify|create", "all|maskadd", "all|maskcreate", "all|onlydir", "delete|deleteself|moveself", "all|dontfollow")
		case 2:
			l = fmt.Sprint("unwatch ", r.IntN(20))
		case 3, 4:
			l = "open " + key() + " " + path() + " " + pick("r", "w", "rw", "rw|creat", "w|creat|excl", "w|creat|trunc", "w|trunc", "path", "r|dir", "w|append")
		case 5, 6:
			l = "close " + key()
		case 7, 8, 9:
			l = pick("read", "write", "write", "cut", "fchmod", "fallocate") + " " + key()
		case 10:
			l = "copy " + key() + " " + key()
		case 11:
			l = "mkdir " + path()
		case 12, 13:
			l = "put " + path()
		case 14:
			l = pick("mknod ", "symlink ") + path()
		case 15:
			l = "link " + path() + " " + path()
			if !links {
				l = "put " + path()
			}
		case 16, 17:
			l = "unlink " + path()
		case 18:
			l = "rmdir " + path()
		case 19, 20:
			l = "rename " + path() + " " + path()
		case 21:
			l = "exchange " + path() + " " + path()
		default:
			l = pick("truncate ", "chmod ", "utimes ", "atime ", "mtime ", "setxattr ", "stat ", "chown ") + path()
		}
		lines = append(lines, l)
	}
	return lines
}

var _ watchSys = (*syscalls.Kernel)(nil)
