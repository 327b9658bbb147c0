package fs_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

func TestEntriesExpire(t *testing.T) {
	const life = 50 * time.Millisecond
	h := newHost(life)
	h.at(t, "d/", "d/f: old", "gone")
	v := fs.New(h, fs.MountOptions{})
	start := time.Now()
	if s := read(v, "d/f"); s != "old" {
		t.Fatal(s)
	}
	before := h.lookups
	for range 10 {
		read(v, "d/f")
	}
	if h.lookups > before+2 && time.Since(start) < life {
		t.Errorf("%d lookups within the lifetime", h.lookups-before)
	}
	// The host replaces a directory and removes a file.
	backdoor := fs.New(h.FileSystem, fs.MountOptions{})
	lay(t, backdoor, "n/", "n/f: new")
	if err := backdoor.Rename(fs.Base{}, "n", fs.Base{}, "d", fs.RenameExchange); err != nil {
		t.Fatal(err)
	}
	if err := backdoor.Unlink(fs.Base{}, "gone"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * life)
	if s := read(v, "d/f"); s != "new" {
		t.Errorf("after the host has replaced the directory: %s", s)
	}
	if s := read(v, "gone"); s != noent {
		t.Errorf("after the host has removed the file: %s", s)
	}
}

func TestNegativeEntries(t *testing.T) {
	h := newHost(time.Hour)
	v := fs.New(h, fs.MountOptions{})
	for range 5 {
		if s := read(v, "f"); s != noent {
			t.Fatal(s)
		}
	}
	if h.lookups != 1 {
		t.Errorf("%d lookups of a name that does not exist", h.lookups)
	}
	if err := write(v, "f", "x"); err != nil {
		t.Fatal(err)
	}
	if s := read(v, "f"); s != "x" {
		t.Errorf("made over a negative entry: %s", s)
	}
	if h.lookups != 1 {
		t.Errorf("%d lookups, though creating tells all", h.lookups)
	}
	// Without a lifetime nothing is believed.
	h2 := newHost(0)
	v2 := fs.New(h2, fs.MountOptions{})
	read(v2, "f")
	h2.at(t, "f: y")
	if s := read(v2, "f"); s != "y" {
		t.Errorf("made by the host: %s", s)
	}
}

func TestStale(t *testing.T) {
	h := newHost(time.Hour)
	h.at(t, "d/", "d/f: x")
	v := fs.New(h, fs.MountOptions{})
	read(v, "d/f")
	f := dir(t, v, "d/f").Node().(*hostNode)

	// A node that has become stale is looked up again, once.
	h.stale[f.Node] = 1
	var a fs.Attr
	if err := v.Stat(fs.Base{}, "d/f", true, &a); err != nil {
		t.Errorf("stat after one ESTALE: %v", err)
	}
	h.stale[f.Node] = 2
	if err := v.Stat(fs.Base{}, "d/f", true, &a); err != syscall.ESTALE {
		t.Errorf("stat after two of them: %v", err)
	}
}

func TestEvictionGivesReferencesBack(t *testing.T) {
	h := newHost(time.Hour)
	var layout []string
	for i := range 20 {
		layout = append(layout, fmt.Sprintf("d%d/", i))
		for j := range 20 {
			layout = append(layout, fmt.Sprintf("d%d/f%d", i, j))
		}
	}
	h.at(t, layout...)
	v := fs.New(h, fs.MountOptions{})
	v.SetCacheSize(50)
	open := dir(t, v, "d3/f3")
	for range 2 {
		for i := range 20 {
			for j := range 20 {
				if s := read(v, fmt.Sprintf("d%d/f%d", i, j)); s != "" {
					t.Fatal(s)
				}
			}
		}
	}
	if n, _, _ := v.CacheStats(); n > 60 {
		t.Errorf("the cache holds %d entries", n)
	}
	if n := len(h.nodes); n > 62 {
		t.Errorf("%d nodes are referenced", n)
	}
	if p, err := v.Path(nil, open); p != "/d3/f3" || err != nil {
		t.Errorf("what is in use was evicted: %q, %v", p, err)
	}
}

// TestBoundHolds: names in use do not count against those that nobody uses
// for good, and go with the rest when they are let go of.
func TestBoundHolds(t *testing.T) {
	const limit, open = 200, 1000
	h := newHost(time.Hour)
	var layout []string
	for i := range 2 * open {
		layout = append(layout, fmt.Sprint("f", i))
	}
	h.at(t, layout...)
	v := fs.New(h, fs.MountOptions{})
	v.SetCacheSize(limit)
	var used []*fs.Dentry
	for i := range open {
		used = append(used, dir(t, v, fmt.Sprint("f", i)))
	}
	lookups := h.lookups
	for range 3 {
		for i := range open + limit/8 {
			read(v, fmt.Sprint("f", i))
		}
	}
	if n := h.lookups - lookups; n != limit/8 {
		t.Errorf("%d lookups, want %d: the names in use leave no room for others", n, limit/8)
	}
	for i := open; i < 2*open; i++ {
		read(v, fmt.Sprint("f", i))
	}
	if n, _, _ := v.CacheStats(); n > open+1+limit/4+1 {
		t.Errorf("%d names are held, %d of them in use", n, open+1)
	}
	for _, d := range used {
		d.Put()
	}
	n, _, evicted := v.CacheStats()
	if n > limit || len(h.nodes) > limit {
		t.Errorf("%d names and %d nodes are held, want %d", n, len(h.nodes), limit)
	}
	if want := uint64(2*open + 1 - n); evicted != want {
		t.Errorf("%d were evicted, want %d", evicted, want)
	}
	for i := range 2 * open {
		if s := read(v, fmt.Sprint("f", i)); s != "" {
			t.Fatalf("after the eviction: %s", s)
		}
	}
}

// TestUsedStay: the names that are looked up again and again outlast a walk
// over many others.
func TestUsedStay(t *testing.T) {
	h := newHost(time.Hour)
	var layout []string
	for i := range 1000 {
		layout = append(layout, fmt.Sprint("f", i))
	}
	h.at(t, layout...)
	v := fs.New(h, fs.MountOptions{})
	v.SetCacheSize(200)
	for i := range 1000 {
		read(v, fmt.Sprint("f", i%20))
		read(v, fmt.Sprint("f", i))
	}
	before := h.lookups
	for i := range 20 {
		read(v, fmt.Sprint("f", i))
	}
	if h.lookups != before {
		t.Errorf("%d of 20 names in use were evicted", h.lookups-before)
	}
}

// TestReferencesAddUp mixes all operations from several goroutines, unmounts,
// and counts the references.
func TestReferencesAddUp(t *testing.T) {
	for _, valid := range []time.Duration{0, 100 * time.Microsecond, fs.Forever} {
		h := newHost(valid)
		v := fs.New(newHost(fs.Forever), fs.MountOptions{})
		v.SetCacheSize(30)
		lay(t, v, "m/")
		if err := v.Mount(fs.Base{}, "m", h, fs.MountOptions{}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() { stir(v, rand.New(rand.NewPCG(1, uint64(g))), 2000) })
		}
		wg.Wait()
		if err := v.Unmount(fs.Base{}, "m"); err != nil {
			t.Fatalf("unmount: %v", err)
		}
		if !h.closed {
			t.Error("the file system was not closed")
		}
		if len(h.nodes) != 0 {
			t.Errorf("lifetime %v: %d nodes are still referenced", valid, len(h.nodes))
		}
	}
}

// stir does n random operations below m, whatever comes of them.
func stir(v *fs.VFS, r *rand.Rand, n int) {
	b := fs.Base{}
	name := func() string {
		p := "m"
		for range 1 + r.IntN(3) {
			p += "/" + string(rune('a'+r.IntN(5)))
		}
		return p
	}
	var a fs.Attr
	for range n {
		p, q := name(), name()
		switch r.IntN(12) {
		case 0:
			v.Mkdir(b, p, 0o755, 0)
		case 1:
			v.Rmdir(b, p)
		case 2:
			v.Unlink(b, p)
		case 3:
			v.Rename(b, p, b, q, uint32(r.IntN(3)))
		case 4:
			v.Link(b, p, b, q, r.IntN(2) == 0)
		case 5:
			v.Symlink(q[2:], b, p)
		case 6, 7:
			write(v, p, "text")
		case 8:
			f, d, err := v.Open(b, p, syscall.O_RDONLY, 0, 0)
			if err != nil {
				continue
			}
			if d.Kind() == syscall.S_IFDIR {
				v.ReadDir(d, f, 0, func(*fs.Dirent) bool { return r.IntN(20) > 0 })
			}
			v.Path(nil, d)
			f.Release()
			d.Put()
		case 9:
			d, err := v.Walk(b, p, true)
			if err == nil {
				v.Stat(fs.Base{Dir: d}, "../"+q[2:], true, &a)
				d.Put()
			}
		default:
			v.Stat(b, p, r.IntN(2) == 0, &a)
		}
	}
}

// TestReplacedDirectoryIsForgotten: what was below a directory that the host
// has replaced gives its references back at once.
func TestReplacedDirectoryIsForgotten(t *testing.T) {
	h := newHost(0)
	h.at(t, "d/", "d/e/", "d/e/f")
	v := fs.New(h, fs.MountOptions{})
	read(v, "d/e/f")
	backdoor := fs.New(h.FileSystem, fs.MountOptions{})
	if err := backdoor.Rename(fs.Base{}, "d", fs.Base{}, "old", 0); err != nil {
		t.Fatal(err)
	}
	lay(t, backdoor, "d/")
	if s := read(v, "d/e/f"); s != noent {
		t.Errorf("read %s", s)
	}
	if n := len(h.nodes); n != 2 { // the root and the new directory
		t.Errorf("%d nodes are referenced", n)
	}
}
