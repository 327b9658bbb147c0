package fstest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/qemu/hostwatch"
	"github.com/yolkos/yolk/qemu/passthrough"
	"github.com/yolkos/yolk/syscalls"
)

// hostLink is launcher and kernel in one process: a fs.Host whose events come
// from this machine, by one goroutine in their order.
type hostLink struct {
	v     *fs.VFS
	w     *hostwatch.Watcher
	queue chan func()
	ended chan struct{}

	mu   sync.Mutex
	seen int // events
}

// newWatchedShare makes a kernel whose root is dir, and whose files are watched
// on this machine.
func newWatchedShare(t *testing.T, dir string) (*syscalls.Kernel, *hostLink) {
	k := NewKernel(shared(t, dir, passthrough.Options{Valid: time.Hour}))
	l := &hostLink{v: k.VFS(), queue: make(chan func(), 1<<16), ended: make(chan struct{})}
	var err error
	if l.w, err = hostwatch.New(map[string]string{"root": dir}, l); err != nil {
		t.Fatal(err)
	}
	k.VFS().SetHost(l)
	go func() {
		defer close(l.ended)
		for f := range l.queue {
			f()
		}
	}()
	t.Cleanup(func() {
		l.w.Close()
		close(l.queue)
		<-l.ended
	})
	return k, l
}

func (l *hostLink) Watch(id uint32, _ fs.FileSystem, path string, ino uint64) error {
	return l.w.Watch(id, "root", ino, path)
}
func (l *hostLink) Unwatch(id uint32) { go l.w.Unwatch(id) }
func (l *hostLink) Sync(n uint64)     { go l.w.Sync(n) }

func (l *hostLink) Event(id, mask, cookie uint32, name string) {
	l.mu.Lock()
	l.seen++
	l.mu.Unlock()
	l.queue <- func() { l.v.HostEvent(id, mask, cookie, name) }
}
func (l *hostLink) Lost()           { l.queue <- l.v.HostLost }
func (l *hostLink) Synced(n uint64) { l.queue <- func() { l.v.HostSynced(n) } }

// settle returns when all that has happened on the host has been told.
func (l *hostLink) settle() {
	l.w.Sync(0)
	done := make(chan struct{})
	l.queue <- func() { close(done) }
	<-done
}

// TestHostWatchOwn: what the guest changes in a share, the host tells as well,
// which nobody must see: the events are those of Linux.
func TestHostWatchOwn(t *testing.T) {
	for name, text := range watchCases {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			k, l := newWatchedShare(t, t.TempDir())
			compareWatchOn(t, k, l.settle, watchLines(text))
			if name == "create and write" && l.seen == 0 {
				t.Error("the host has told nothing")
			}
		})
	}
}

// TestHostWatchOwnRandom is TestHostWatchOwn with random operations. In every
// other play nobody waits for the host, so that its events come at any time: while one is
// looked at, its file is in use, as by anybody else, and what its last user's end tells is told
// a moment later than Linux has it. What is wrong there is wrong each time. There
// are no hard links: the host names a file as the server has it open.
func TestHostWatchOwnRandom(t *testing.T) {
	for play := range uint64(40) {
		const tries = 4
		for try := 1; ; try++ {
			k, l := newWatchedShare(t, t.TempDir())
			settle, last := l.settle, true
			if play%2 == 1 {
				settle, last = func() {}, try == tries
			}
			text := watchDifference(t, k, settle, randomWatchLines(play, false))
			if text == "" {
				break
			}
			if last {
				t.Fatalf("play %d: %s", play, text)
			}
		}
	}
}

// TestHostWatch: what the host changes is told as if the guest had done it, as
// far as it is a change, and what the guest remembers is forgotten.
func TestHostWatch(t *testing.T) {
	for name, text := range watchCases {
		if strings.Contains(text, "oneshot") || name == "open file removed" || name == "two names open" {
			continue // what is not told of the host would count
		}
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			changesOfHost(t, watchLines(text))
		})
	}
}

// changesOfHost has a second instance watch what the first one does, over a
// share on whose directory the operations are done.
func changesOfHost(t *testing.T, lines []string) {
	dir := t.TempDir()
	k, l := newWatchedShare(t, dir)
	host, guest := newWatchPlay(watchLinux{}, dir), newWatchPlay(k, "/")
	guest.settle = l.settle
	defer host.end()
	defer guest.end()
	for i, line := range lines {
		from := len(host.log)
		host.do(line)
		watching := strings.Contains(line, "watch ")
		if watching {
			guest.do(line)
		} else {
			guest.settle()
			guest.drain()
		}
		want, got := changesIn(host.log[from:]), changesIn(guest.log)
		guest.log = nil
		if want != got {
			t.Fatalf("after\n\t%s\nLinux:\n%s\nhere:\n%s", strings.Join(lines[:i+1], "\n\t"), want, got)
		}
		if slices.ContainsFunc(lines[:i+1], func(l string) bool { return strings.HasPrefix(l, "watch . all") }) &&
			!slices.Contains(lines[:i+1], "unwatch 2") {
			lookAlike(t, dir, k)
		}
	}
}

// changesIn are the events of a log that tell of changes. When a file is gone is
// another matter on a host whose server has it open.
func changesIn(log []string) string {
	var list []string
	for _, line := range log {
		mask := ""
		if words := strings.Fields(line); strings.HasPrefix(line, "    ") {
			mask = words[2]
		}
		switch strings.TrimSuffix(mask, "|isdir") {
		case "", "open", "access", "closenowrite", "deleteself", "ignored":
		default:
			list = append(list, line)
		}
	}
	return strings.Join(list, "\n")
}

// lookAlike compares the files in dir, whose names and data are watched, with
// those in the root of k.
func lookAlike(t *testing.T, dir string, k *syscalls.Kernel) {
	t.Helper()
	for _, name := range []string{"a", "b", "d", "e", "f", "g", "m", "n", "s", "x", "y", "z"} {
		var want, got syscall.Stat_t
		err := no(syscall.Lstat(filepath.Join(dir, name), &want))
		e := k.Fstatat(cwd, "/"+name, &got, nofollow)
		if e != err || e == 0 && (got.Ino != want.Ino || got.Mode != want.Mode) ||
			e == 0 && got.Mode&syscall.S_IFMT != syscall.S_IFDIR && (got.Size != want.Size || got.Mtim != want.Mtim) {
			t.Fatalf("%s: %v, %+v; Linux %v, %+v", name, e, got, err, want)
		}
	}
}

// TestHostWatchGone: a file or directory that the host removes ends its watch,
// also while the server has it open; what the guest has open itself, when that
// is closed.
func TestHostWatchGone(t *testing.T) {
	for _, tt := range []struct{ play, host, then, want string }{
		{"put f; watch f all", "unlink f", "", "attrib deleteself ignored"},
		{"put f; watch f all; open a f r", "unlink f", "close a", "attrib closenowrite deleteself ignored"},
		{"put f; link f g; watch f all", "unlink f; unlink g", "", "attrib attrib deleteself ignored"},
		{"put f; put g; watch g all", "rename f g", "", "attrib deleteself ignored"},
		{"put f; watch f all", "put f", "", "modify closewrite"},
		{"mkdir d; watch . all; watch d all", "rmdir d", "", "delete|isdir deleteself ignored"},
		{"mkdir d; put d/f; watch d/f all", "rename d e; put e/f", "", "modify closewrite"},
	} {
		dir := t.TempDir()
		k, l := newWatchedShare(t, dir)
		host, guest := newWatchPlay(watchLinux{}, dir), newWatchPlay(k, "/")
		guest.settle = l.settle
		for _, line := range watchLines(tt.play) {
			guest.do(line)
		}
		guest.log = nil
		for _, line := range watchLines(tt.host) {
			host.do(line)
			guest.settle()
			guest.drain()
		}
		for _, line := range watchLines(tt.then) {
			if line != "" {
				guest.do(line)
			}
		}
		var got []string
		for _, line := range guest.log {
			if strings.HasPrefix(line, "    ") {
				got = append(got, strings.Fields(line)[2])
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s | %s | %s: %q, want %q", tt.play, tt.host, tt.then, got, tt.want)
		}
		host.end()
		guest.end()
	}
}

// TestHostWatchStorm has host and guest change files in one directory at the same
// time. Each change is told once, whoever made it, and for each file in its order.
func TestHostWatchStorm(t *testing.T) {
	const rounds = 300
	dir := t.TempDir()
	k, l := newWatchedShare(t, dir)
	p := newWatchPlay(k, "/")
	defer p.end()
	p.do("watch . modify|attrib|closewrite|movedfrom|movedto|create|delete")
	p.log = nil
	var both sync.WaitGroup
	both.Go(func() { storm(t, watchLinux{}, dir, "h", rounds) })
	both.Go(func() { storm(t, k, "/", "g", rounds) })
	both.Wait()
	l.settle()
	p.drain()
	got := map[string][]string{}
	for _, line := range p.log {
		words := strings.Fields(line)
		if len(words) != 6 {
			t.Fatal(line)
		}
		name := strings.TrimRight(strings.ReplaceAll(words[5], `\x00`, ""), `"`)
		got[name[1:]] = append(got[name[1:]], words[2])
	}
	for _, side := range []string{"h", "g"} {
		for i := range rounds {
			for name, want := range map[string]string{
				fmt.Sprint(side, i):      "create modify closewrite attrib movedfrom",
				fmt.Sprint(side, i, "~"): "movedto delete",
				fmt.Sprint(side, i, "d"): "create|isdir delete|isdir",
			} {
				if s := strings.Join(got[name], " "); s != want {
					t.Errorf("%s: %q, want %q", name, s, want)
				}
			}
		}
	}
	// What both write to is told of at least once more after the last change.
	if e := appendTo(watchLinux{}, filepath.Join(dir, "both")); e != 0 {
		t.Fatal(e)
	}
	p.log = nil
	l.settle()
	p.drain()
	if s := strings.Join(p.log, "\n"); !strings.Contains(s, "modify") {
		t.Errorf("a change behind the storm is not told: %q", s)
	}
}

// storm makes, changes, renames and removes files with names of its own, and
// appends to one that is the other side's as well.
func storm(t *testing.T, s Sys, dir, side string, rounds int) {
	check := func(what string, e syscall.Errno) {
		if e != 0 {
			t.Errorf("%s %s: %v", side, what, e)
		}
	}
	for i := range rounds {
		name := filepath.Join(dir, fmt.Sprint(side, i))
		fd, e := s.Openat(cwd, name, syscall.O_CREAT|syscall.O_WRONLY|syscall.O_TRUNC, 0o644)
		check("open", e)
		_, e = s.Write(fd, []byte("data"))
		check("write", e)
		check("close", s.Close(fd))
		check("chmod", s.Fchmodat(cwd, name, 0o600, 0))
		check("mkdir", s.Mkdirat(cwd, name+"d", 0o755))
		check("rename", s.Renameat2(cwd, name, cwd, name+"~", 0))
		check("append", appendTo(s, filepath.Join(dir, "both")))
		check("unlink", s.Unlinkat(cwd, name+"~", 0))
		check("rmdir", s.Unlinkat(cwd, name+"d", rmdir))
	}
}

func appendTo(s Sys, name string) syscall.Errno {
	fd, e := s.Openat(cwd, name, syscall.O_CREAT|syscall.O_WRONLY|syscall.O_APPEND, 0o644)
	if e != 0 {
		return e
	}
	defer s.Close(fd)
	_, e = s.Write(fd, []byte("data"))
	return e
}

// TestHostWatchLost: what the host has no room for is told as lost, and nothing
// is believed any more.
func TestHostWatchLost(t *testing.T) {
	dir := t.TempDir()
	k, l := newWatchedShare(t, dir)
	p := newWatchPlay(k, "/")
	defer p.end()
	for _, line := range watchLines("mkdir d; put d/f; watch . create; stat d/f; stat d/g") {
		p.do(line)
	}
	p.log = nil
	host := newWatchPlay(watchLinux{}, dir)
	defer host.end()
	host.do("truncate d/f") // nobody watches d
	host.do("put d/g")
	size := func() (size int64) {
		var st syscall.Stat_t
		for _, name := range []string{"/d/f", "/d/g"} {
			k.Fstatat(cwd, name, &st, 0)
			size = size*10 + st.Size
		}
		return size
	}
	before := size()
	l.queue <- l.v.HostLost
	l.settle()
	p.drain()
	if s := strings.Join(p.log, "\n"); !strings.Contains(s, "wd -1 overflow") {
		t.Errorf("%q", s)
	}
	if after := size(); before != 44 || after != 14 {
		t.Errorf("sizes %d, then %d", before, after)
	}
}

// TestHostWatchStale: what is watched is the file that has the name now.
func TestHostWatchStale(t *testing.T) {
	dir := t.TempDir()
	k, l := newWatchedShare(t, dir)
	p := newWatchPlay(k, "/")
	defer p.end()
	p.settle = l.settle
	host := newWatchPlay(watchLinux{}, dir)
	defer host.end()
	host.do("put f")
	p.do("stat f")
	for _, line := range watchLines("put g; rename g f; mkdir d") {
		host.do(line)
	}
	p.log = nil
	p.do("watch f modify")
	p.do("watch d create") // it was not there when the guest last looked
	host.do("truncate f")
	p.settle()
	p.drain()
	if s := strings.Join(p.log, "\n"); !strings.Contains(s, "wd 1 modify") || strings.Contains(s, "no such") {
		t.Errorf("%q", s)
	}
}
