package fusefs

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestReadDirRefused reads a directory as getdents(2) does: an entry that does
// not fit is refused and asked for again from the cookie before it.
func TestReadDirRefused(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		write(t, fmt.Sprintf("%s/f%02d", dir, i), nil)
	}
	for _, opts := range []Options{{}, {Without: fuse.FUSE_DO_READDIRPLUS}} {
		f, _ := loopback(t, dir, serverOptions{}, opts)
		root := f.Root()
		d, err := root.Open(os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		cookie := uint64(0)
		for more := true; more; {
			more = false
			room := 3
			err := d.ReadDir(cookie, func(e *fs.Dirent) bool {
				drop(e.Entry, nil)
				more = true
				if room--; room < 0 {
					return false
				}
				names = append(names, e.Name)
				cookie = e.Next
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if slices.Sort(names); len(names) != 50 || names[0] != "f00" || len(slices.Compact(names)) != 50 {
			t.Errorf("%d names: %q", len(names), names)
		}
		d.Release()
		root.Unref()
	}
}

// TestReadDirSeek goes back to cookies given before, in the same reply and in
// earlier ones.
func TestReadDirSeek(t *testing.T) {
	dir := t.TempDir()
	for i := range 2000 {
		write(t, fmt.Sprintf("%s/a-file-with-number-%d", dir, i), nil)
	}
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	d, err := root.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Release()
	var names []string
	var cookies []uint64
	all := func(e *fs.Dirent) bool {
		drop(e.Entry, nil)
		names, cookies = append(names, e.Name), append(cookies, e.Next)
		return true
	}
	if err := d.ReadDir(0, all); err != nil || len(names) != 2000 {
		t.Fatalf("%d names, %v", len(names), err)
	}
	for _, i := range []int{1998, 10, 11, 12, 5, 1500, 1999} {
		var got []string
		err := d.ReadDir(cookies[i], func(e *fs.Dirent) bool {
			drop(e.Entry, nil)
			got = append(got, e.Name)
			return len(got) < 3
		})
		if want := names[i+1 : min(i+4, 2000)]; err != nil || !slices.Equal(got, want) {
			t.Errorf("behind entry %d: %q, %v; want %q", i, got, err, want)
		}
	}
}

// TestReadDirRewind: from cookie 0 the directory is read afresh.
func TestReadDirRewind(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a", nil)
	write(t, dir+"/b", nil)
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	d, err := root.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Release()
	read := func(most int) (names []string) {
		if err := d.ReadDir(0, func(e *fs.Dirent) bool {
			drop(e.Entry, nil)
			names = append(names, e.Name)
			return len(names) < most
		}); err != nil {
			t.Error(err)
		}
		return names
	}
	read(1)
	os.Remove(dir + "/a")
	os.Remove(dir + "/b")
	write(t, dir+"/c", nil)
	if got := read(9); !slices.Equal(got, []string{"c"}) {
		t.Errorf("after rewind: %q, want c", got)
	}
}

// TestCookies: the server sees only its own cookies, on one handle.
func TestCookies(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	var asked []uint64
	s.ops[fuse.FUSE_READDIR] = func(c *call) {
		var in fuse.ReadIn
		in.Decode(c.args)
		if in.Fh != 11 {
			t.Errorf("handle %d", in.Fh)
		}
		asked = append(asked, in.Offset)
		// Cookies in no order, the largest numbers among them.
		next := map[uint64]uint64{0: 1<<64 - 1, 1<<64 - 1: 7, 7: 1 << 63, 1 << 63: 3}[in.Offset]
		var b []byte
		if next != 0 {
			b = fuse.AppendDirent(nil, &fuse.Dirent{Ino: 1, Off: next}, fmt.Sprint("n", next))
		}
		c.ok(b)
	}
	if got := list(t, f.root, 1); len(got) != 4 {
		t.Errorf("listing %q", got)
	}
	if want := []uint64{0, 1<<64 - 1, 7, 1 << 63, 3}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

// TestUnrefOvertaken: a lookup brings the node back between the last Unref's
// first step and its second.
func TestUnrefOvertaken(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	n := lookup(t, f.root, "f").(*node)
	f.table.mu.Lock()
	done := make(chan bool)
	go func() { n.Unref(); done <- true }()
	for n.refs.Load() != 0 {
		runtime.Gosched()
	}
	n.refs.Add(1) // as intern does, which has the lock
	n.lookups++
	f.table.mu.Unlock()
	<-done
	if n.gone || s.number(fuse.FUSE_FORGET) != 0 {
		t.Error("a node in use is forgotten")
	}
	n.Unref()
	f.flushForgets()
	if !n.gone || s.number(fuse.FUSE_FORGET) != 1 {
		t.Error("not forgotten in the end")
	}
}

// TestUnrefRace: the last reference goes while lookups bring the node back.
func TestUnrefRace(t *testing.T) {
	s := newScript(0)
	c := newCounter(s)
	f := mount(t, c, Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3000 {
				e, err := f.root.Lookup("f")
				if err != nil {
					t.Error(err)
					return
				}
				e.Node.Getattr(&fs.Attr{})
				e.Node.Unref()
			}
		})
	}
	wg.Wait()
	if n := len(f.table.m); n != 1 {
		t.Errorf("%d nodes in the table", n)
	}
	f.flushForgets()
	c.check(t)
}
