package fusefs

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// listedDir is a server with one directory, its root. As virtiofsd does, it
// takes names from its own system some at a time, and looks each up when it
// answers READDIRPLUS: the first name of a reply that has gone meanwhile is an
// error for all of it, a later one ends the reply.
type listedDir struct {
	*script
	mu      sync.Mutex
	entries []listedEntry // by cookie
	ids     map[string]uint64
	last    uint64
	ahead   int                     // names taken at a time
	hash    bool                    // cookies are made of the names
	open    map[uint64]*listedDirFH // by handle
	fail    func(op uint32, cookie uint64) syscall.Errno
	snatch  func(name string) bool // somebody removes the name that is next
}

type listedEntry struct {
	name   string
	id     uint64
	cookie uint64
}

type listedDirFH struct {
	next  uint64 // the cookie behind which taken starts
	taken []listedEntry
}

func newListedDir(flags uint64, ahead int) *listedDir {
	s := &listedDir{script: newScript(flags), ids: map[string]uint64{}, last: 100, ahead: ahead, open: map[uint64]*listedDirFH{}}
	s.fail = func(uint32, uint64) syscall.Errno { return 0 }
	on := func(op uint32, f func(c *call)) {
		s.ops[op] = func(c *call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			f(c)
		}
	}
	on(fuse.FUSE_GETATTR, func(c *call) { c.ok((&fuse.AttrOut{Attr: s.attr(c.Nodeid)}).AppendTo(nil)) })
	on(fuse.FUSE_LOOKUP, func(c *call) { s.answer(c, s.ids[cString(c.args)]) })
	on(fuse.FUSE_MKNOD, func(c *call) {
		name := cString(c.args[fuse.MknodInSize:])
		if s.ids[name] != 0 {
			c.errno(syscall.EEXIST)
			return
		}
		s.answer(c, s.add(name))
	})
	on(fuse.FUSE_UNLINK, func(c *call) {
		if !s.remove(cString(c.args)) {
			c.errno(syscall.ENOENT)
			return
		}
		c.ok(nil)
	})
	on(fuse.FUSE_OPENDIR, func(c *call) {
		s.last++
		s.open[s.last] = &listedDirFH{}
		c.ok((&fuse.OpenOut{Fh: s.last}).AppendTo(nil))
	})
	on(fuse.FUSE_READDIR, func(c *call) { s.list(c, false) })
	on(fuse.FUSE_READDIRPLUS, func(c *call) { s.list(c, true) })
	return s
}

func cString(b []byte) string {
	name, _, _ := strings.Cut(string(b), "\x00")
	return name
}

func (s *listedDir) attr(id uint64) fuse.Attr {
	mode := uint32(syscall.S_IFREG | 0o644)
	if id == fuse.FUSE_ROOT_ID {
		mode = syscall.S_IFDIR | 0o755
	}
	return fuse.Attr{Ino: id, Mode: mode, Nlink: 1}
}

func (s *listedDir) entry(id uint64) *fuse.EntryOut {
	return &fuse.EntryOut{Nodeid: id, Generation: 1, EntryValid: 1, AttrValid: 1, Attr: s.attr(id)}
}

func (s *listedDir) answer(c *call, id uint64) {
	if id == 0 {
		c.errno(syscall.ENOENT)
		return
	}
	c.ok(s.entry(id).AppendTo(nil))
}

func (s *listedDir) add(name string) uint64 {
	s.last++
	s.ids[name] = s.last
	e := listedEntry{name, s.last, s.last}
	if s.hash {
		h := fnv.New64a()
		h.Write([]byte(name))
		e.cookie = h.Sum64()>>2 + 1
	}
	s.entries = slices.Insert(s.entries, s.behind(e.cookie-1), e)
	return s.last
}

// behind is the index of the first entry behind cookie.
func (s *listedDir) behind(cookie uint64) int {
	i, _ := slices.BinarySearchFunc(s.entries, cookie+1, func(e listedEntry, at uint64) int { return cmp.Compare(e.cookie, at) })
	return i
}

func (s *listedDir) remove(name string) bool {
	id := s.ids[name]
	delete(s.ids, name)
	s.entries = slices.DeleteFunc(s.entries, func(e listedEntry) bool { return e.id == id })
	return id != 0
}

// list answers READDIR or READDIRPLUS.
func (s *listedDir) list(c *call, plus bool) {
	var in fuse.ReadIn
	in.Decode(c.args)
	if e := s.fail(c.Opcode, in.Offset); e != 0 {
		c.errno(e)
		return
	}
	h := s.open[in.Fh]
	if h == nil {
		c.errno(syscall.EBADF)
		return
	}
	if in.Offset != h.next {
		h.taken, h.next = nil, in.Offset
	}
	var b []byte
	for {
		if len(h.taken) == 0 {
			i := s.behind(h.next)
			h.taken = slices.Clone(s.entries[i:min(i+s.ahead, len(s.entries))])
			if len(h.taken) == 0 {
				break
			}
		}
		e := h.taken[0]
		if s.snatch != nil && s.snatch(e.name) {
			s.remove(e.name)
		}
		if plus && s.ids[e.name] == 0 {
			if len(b) == 0 {
				c.errno(syscall.ENOENT)
				return
			}
			break
		}
		var one []byte
		if plus {
			one = s.entry(s.ids[e.name]).AppendTo(nil)
		}
		one = fuse.AppendDirent(one, &fuse.Dirent{Ino: e.id, Off: e.cookie, Type: syscall.DT_REG}, e.name)
		if len(b)+len(one) > int(in.Size) {
			break
		}
		b = append(b, one...)
		h.taken, h.next = h.taken[1:], e.cookie
	}
	c.ok(b)
}

// listVFS reads the directory at path in calls of at most n entries, as
// getdents does. What it has read before an error counts.
func listVFS(v *fs.VFS, path string, n int) (names []string, err error) {
	f, d, err := v.Open(fs.Base{}, path, os.O_RDONLY, 0, 0)
	if err != nil {
		return nil, err
	}
	defer d.Put()
	defer f.Release()
	for next := uint64(0); ; {
		left := n
		err = v.ReadDir(d, f, next, func(e *fs.Dirent) bool {
			if left == 0 {
				return false
			}
			left--
			next = e.Next
			if e.Name != "." && e.Name != ".." {
				names = append(names, strings.Clone(e.Name))
			}
			return true
		})
		if err != nil || left == n {
			return names, err
		}
	}
}

// TestListingFails: a READDIRPLUS that fails, wherever and however, is no
// failure of the listing; a READDIR is.
func TestListingFails(t *testing.T) {
	const many = 700 // some messages of them
	want := make([]string, many)
	for i := range want {
		want[i] = fmt.Sprintf("a-file-with-the-number-%03d", i)
	}
	first := func(cookie uint64) bool { return cookie == 0 }
	points := []struct {
		name string
		at   func(cookie uint64) bool
	}{
		{"first", first},
		{"later", func(cookie uint64) bool { return cookie != 0 }},
		{"always", func(uint64) bool { return true }},
	}
	for _, p := range points {
		for _, e := range []syscall.Errno{syscall.ENOENT, syscall.EACCES, syscall.EIO, syscall.ESTALE, syscall.ENOTCONN, syscall.EMFILE, syscall.ENOMEM} {
			for _, flags := range []uint64{grantAll, grantAll &^ fuse.FUSE_READDIRPLUS_AUTO} {
				for _, both := range []bool{false, true} {
					for _, batch := range []int{7, 100, many} {
						s := newListedDir(flags, 100)
						for _, name := range want {
							s.add(name)
						}
						s.fail = func(op uint32, cookie uint64) syscall.Errno {
							if (both || op == fuse.FUSE_READDIRPLUS) && p.at(cookie) {
								return e
							}
							return 0
						}
						ctr := newCounter(s)
						f := mount(t, ctr, Options{Logf: s.logf})
						f.plus.score.Store(plusHigh) // else few attributes are asked for
						v := fs.New(f, fs.MountOptions{})
						got, err := listVFS(v, "/", batch)
						id := fmt.Sprintf("%s, %v, flags %#x, READDIR too: %v, by %d", p.name, e, flags, both, batch)
						switch {
						case !both && (err != nil || !slices.Equal(got, want)):
							t.Errorf("%s: %d names of %d, %v", id, len(got), many, err)
						case both && (err != e || !slices.Equal(got, want[:len(got)]) || len(got) == many):
							t.Errorf("%s: %d names of %d, %v; want the error, and what came before", id, len(got), many, err)
						}
						if n := s.number(fuse.FUSE_READDIRPLUS); n == 0 || !both && s.number(fuse.FUSE_READDIR) == 0 {
							t.Errorf("%s: %d READDIRPLUS", id, n)
						}
						(*f.files.reclaim.Load())(many) // so that nothing is left to be counted
						v.Shutdown()
						ctr.check(t)
					}
				}
			}
		}
	}
}

// TestListingPlusOnly: a server that has no READDIR is asked once more, and
// then believed.
func TestListingPlusOnly(t *testing.T) {
	for _, fails := range []int{0, 1, 2} {
		s := newListedDir(grantAll, 100)
		s.add("a")
		left := fails
		s.fail = func(op uint32, cookie uint64) syscall.Errno {
			switch {
			case op == fuse.FUSE_READDIR:
				return syscall.ENOSYS
			case left > 0:
				left--
				return syscall.ENOENT
			}
			return 0
		}
		v := fs.New(mountScript(t, s.script, Options{}), fs.MountOptions{})
		want, wantErr := []string{"a"}, error(nil)
		if fails > 1 {
			want, wantErr = nil, syscall.ENOENT
		}
		if got, err := listVFS(v, "/", 10); !slices.Equal(got, want) || err != wantErr {
			t.Errorf("%d failures: %q, %v; want %q, %v", fails, got, err, want, wantErr)
		}
	}
}

// TestListingGoesBackToPlus: the next listing tries READDIRPLUS again, that of
// the same handle from the start, too.
func TestListingGoesBackToPlus(t *testing.T) {
	s := newListedDir(grantAll, 100)
	s.add("a")
	f := mountScript(t, s.script, Options{})
	d, err := f.root.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	failing := true
	s.fail = func(op uint32, cookie uint64) syscall.Errno {
		if failing && op == fuse.FUSE_READDIRPLUS {
			return syscall.ENOENT
		}
		return 0
	}
	for range 2 {
		with := 0
		if err := d.ReadDir(0, func(e *fs.Dirent) bool {
			if e.Entry.Node != nil {
				with++
				e.Entry.Node.Unref()
			}
			return true
		}); err != nil || with == 1 == failing {
			t.Errorf("READDIRPLUS fails: %v; %d entries with attributes, %v", failing, with, err)
		}
		failing = false
	}
}

// TestReservedCookie: a server's cookie that means something else here is an
// error, not the end of the listing.
func TestReservedCookie(t *testing.T) {
	for _, cookie := range []uint64{1<<63 - 2, 1<<63 - 3, 0x7fffffff << 32} {
		s := newListedDir(0, 100)
		s.add("a")
		s.entries = append(s.entries, listedEntry{"b", 99, cookie}, listedEntry{"c", 98, cookie + 1})
		v := fs.New(mountScript(t, s.script, Options{}), fs.MountOptions{})
		if got, err := listVFS(v, "/", 10); !slices.Equal(got, []string{"a"}) || err != syscall.EIO {
			t.Errorf("cookie %#x: %q, %v; want a, EIO", cookie, got, err)
		}
	}
}

// TestListingSeeks goes back to cookies while a name there has gone, with
// several handles in turn.
func TestListingSeeks(t *testing.T) {
	const many = 300
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newListedDir(grantAll, 1+r.IntN(200))
		var names []string
		for i := range many {
			names = append(names, fmt.Sprintf("name-%03d", i))
			s.add(names[i])
		}
		f := mountScript(t, s.script, Options{})
		f.plus.score.Store(plusHigh)
		v := fs.New(f, fs.MountOptions{})
		type place struct {
			f       fs.File
			d       *fs.Dentry
			cookies []uint64 // behind names[i-1]
		}
		var places []*place
		for range 3 {
			f, d, err := v.Open(fs.Base{}, "/", os.O_RDONLY, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			p := &place{f: f, d: d}
			if err := v.ReadDir(d, f, 0, func(e *fs.Dirent) bool { p.cookies = append(p.cookies, e.Next); return true }); err != nil {
				t.Fatal(err)
			}
			p.cookies = p.cookies[1:] // the first is that of "."
			places = append(places, p)
		}
		gone := map[string]bool{}
		for range 60 {
			p, at := places[r.IntN(len(places))], r.IntN(many)
			if r.IntN(3) == 0 {
				name := names[r.IntN(many)]
				gone[name] = true
				if r.IntN(2) == 0 {
					v.Unlink(fs.Base{}, name)
				} else { // by another client
					s.mu.Lock()
					s.remove(name)
					s.mu.Unlock()
				}
			}
			seen := map[string]int{}
			if err := v.ReadDir(p.d, p.f, p.cookies[at], func(e *fs.Dirent) bool { seen[e.Name]++; return len(seen) < 100 }); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			here := 0
			for _, name := range names[at:] {
				if here += seen[name]; here == 99 {
					break
				}
				if !gone[name] && seen[name] != 1 {
					t.Fatalf("seed %d: from the cookie of %s: %s seen %d times", seed, names[at], name, seen[name])
				}
			}
		}
		for _, p := range places {
			p.f.Release()
			p.d.Put()
		}
		v.Shutdown()
	}
}

// TestListingWhileChanging: while names come and go, here and at the server,
// every listing has each name that nobody touches once.
func TestListingWhileChanging(t *testing.T) {
	seeds, failed := uint64(10), uint64(0)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		s := newListedDir(grantAll, 64)
		s.hash = true
		r := rand.New(rand.NewPCG(seed, 9))
		s.snatch = func(name string) bool { return name[0] == 'x' && r.IntN(3) == 0 }
		f := mount(t, s, Options{Logf: t.Logf})
		v := fs.New(f, fs.MountOptions{})
		listWhileChanging(t, v, seed, func(name string) {
			f.plus.score.Store(plusHigh)
			s.mu.Lock()
			s.remove(name)
			s.mu.Unlock()
		})
		for _, o := range f.Stats() {
			if o.Op == "READDIRPLUS" {
				failed += o.Errors
			}
		}
		v.Shutdown()
	}
	if failed == 0 {
		t.Error("no READDIRPLUS has failed")
	}
	dir := t.TempDir()
	v, _ := loopbackVFS(t, dir, serverOptions{caps: gofuse.CAP_READDIRPLUS_AUTO, valid: time.Second})
	listWhileChanging(t, v, seeds, func(name string) { os.Remove(dir + "/" + name) })
}

func listWhileChanging(t *testing.T, v *fs.VFS, seed uint64, remove func(name string)) {
	const kept, others, lists = 200, 60, 40
	var b fs.Base
	mknod := func(name string) { v.Mknod(b, name, syscall.S_IFREG|0o644, 0, 0) }
	for i := range kept {
		mknod(fmt.Sprintf("keep-%03d", i))
		mknod(fmt.Sprintf("x-%d", i%others))
	}
	stop := make(chan bool)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(seed, uint64(g))); ; {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("x-%d", r.IntN(others))
				switch r.IntN(4) {
				case 0, 1:
					mknod(name)
				case 2:
					v.Unlink(b, name)
				case 3:
					remove(name)
				}
			}
		})
	}
	for i := range lists {
		got, err := listVFS(v, "/", 5+i*10)
		seen := map[string]int{}
		for _, name := range got {
			seen[name]++
			v.Stat(b, name, false, new(fs.Attr)) // so that attributes are asked for
		}
		for k := range kept {
			if name := fmt.Sprintf("keep-%03d", k); seen[name] != 1 {
				t.Errorf("seed %d: %s is there %d times", seed, name, seen[name])
			}
		}
		if err != nil {
			t.Errorf("seed %d: %d names, %v", seed, len(got), err)
		}
	}
	close(stop)
	wg.Wait()
}
