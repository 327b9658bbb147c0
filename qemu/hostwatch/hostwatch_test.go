package hostwatch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// log is a Sink that writes down what it is told.
type log struct {
	mu    sync.Mutex
	lines []string
	block chan struct{} // nil: does not block
}

func (l *log) say(format string, args ...any) {
	if l.block != nil {
		<-l.block
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) Event(id, mask, cookie uint32, name string) { l.say("%d %#x %q", id, mask, name) }
func (l *log) Lost()                                      { l.say("lost") }
func (l *log) Synced(n uint64)                            { l.say("synced %d", n) }

func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := strings.Join(l.lines, "; ")
	l.lines = nil
	return s
}

func newWatcher(t *testing.T, dir string, l *log) *Watcher {
	t.Helper()
	w, err := New(map[string]string{"root": dir, "again": dir}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// TestEvents: what happens before a sync is told before its answer, and to each
// watch of a file.
func TestEvents(t *testing.T) {
	dir := t.TempDir()
	l := &log{}
	w := newWatcher(t, dir, l)
	ino := inode(t, dir)
	for id, tag := range []string{"root", "again"} {
		if err := w.Watch(uint32(id), tag, ino, "/"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Watch(1, "root", ino, ""); err != syscall.EEXIST {
		t.Error("one number twice:", err)
	}
	os.Mkdir(filepath.Join(dir, "a b"), 0o755)
	w.Sync(7)
	if got := l.take(); got != `0 0x40000100 "a b"; 1 0x40000100 "a b"; synced 7` {
		t.Error(got)
	}
	w.Unwatch(0)
	w.Unwatch(0)
	os.Remove(filepath.Join(dir, "a b"))
	w.Sync(8)
	if got := l.take(); got != `1 0x40000200 "a b"; synced 8` {
		t.Error(got)
	}
	w.Unwatch(1)
	os.Mkdir(filepath.Join(dir, "c"), 0o755)
	w.Sync(9)
	if got := l.take(); got != "synced 9" {
		t.Error(got)
	}
	// Without a sync, the events come by themselves.
	if err := w.Watch(2, "root", ino, "."); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "c"))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if got := l.take(); got != "" {
			if got != `2 0x40000200 "c"` {
				t.Error(got)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no event")
		}
	}
}

// TestBelow: no path leads out of a share, by whatever names and links.
func TestBelow(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "share")
	for _, d := range []string{"share/in", "out/in"} {
		if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink("../out", filepath.Join(dir, "up"))
	os.Symlink(filepath.Join(top, "out"), filepath.Join(dir, "away"))
	os.Symlink("in", filepath.Join(dir, "same"))
	os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
	in, out := inode(t, filepath.Join(dir, "in")), inode(t, filepath.Join(top, "out"))
	for _, noBeyond := range []bool{false, true} {
		l := &log{}
		w := newWatcher(t, dir, l)
		w.noBeyond = noBeyond
		id := uint32(0)
		for path, inos := range map[string][]uint64{
			"..": {out, inode(t, top)}, "/..": {inode(t, top)}, "../out": {out}, "in/../../out": {out}, "up": {out}, "away": {out},
			"up/in": {out, in, inode(t, filepath.Join(top, "out/in"))}, "away/in": {inode(t, filepath.Join(top, "out/in"))},
			"same/.": {in}, "in\x00": {in}, "file/.": {in}, "none": {in}, "in": {out, 0},
			strings.Repeat("in/", 2000): {in}, filepath.Join(top, "out"): {out}, strings.Repeat("x", 300): {in},
		} {
			for _, ino := range inos {
				id++
				if err := w.Watch(id, "root", ino, path); err == nil {
					t.Errorf("%.40q is watched", path)
				}
			}
		}
		if err := w.Watch(1000, "other", in, "in"); err != syscall.ENODEV {
			t.Error("another share:", err)
		}
		for _, path := range []string{"in", "/in/", "//./in"} {
			id++
			if err := w.Watch(id, "root", in, path); err != nil {
				t.Errorf("%q: %v", path, err)
			}
		}
		if err := w.Watch(1001, "root", inode(t, filepath.Join(dir, "up")), "up"); err != nil {
			t.Error("a link itself:", err)
		}
		if len(w.ids) != 4 {
			t.Errorf("%d watches", len(w.ids))
		}
	}
}

// TestFull: a sink that takes nothing holds up only itself, and hears what the
// host had no room for.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	l := &log{block: make(chan struct{})}
	w := newWatcher(t, dir, l)
	if err := w.Watch(1, "root", inode(t, dir), ""); err != nil {
		t.Fatal(err)
	}
	var most int
	b, _ := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if fmt.Sscan(string(b), &most); most > 1<<17 {
		t.Skip("the host has room for", most)
	}
	a, z := filepath.Join(dir, "a"), filepath.Join(dir, "z")
	os.WriteFile(a, nil, 0o644)
	for i := 0; i < most; i += 2 {
		os.Rename(a, z)
		a, z = z, a
	}
	for range 1000 { // more than one reading takes
		os.Rename(a, z)
		a, z = z, a
	}
	close(l.block)
	w.Sync(1)
	if got := l.take(); !strings.HasSuffix(got, "lost; synced 1") {
		t.Errorf("%.200s", got[max(0, len(got)-200):])
	}
}

// TestClosed: a watcher that has ended does nothing any more.
func TestClosed(t *testing.T) {
	dir := t.TempDir()
	l := &log{}
	w := newWatcher(t, dir, l)
	ino := inode(t, dir)
	if err := w.Watch(1, "root", ino, ""); err != nil {
		t.Fatal(err)
	}
	w.Close()
	w.Close()
	os.Mkdir(filepath.Join(dir, "d"), 0o755)
	if err := w.Watch(2, "root", ino, ""); err != syscall.ENODEV {
		t.Error(err)
	}
	w.Unwatch(1)
	w.Sync(1)
	if got := l.take(); got != "" {
		t.Error(got)
	}
}
