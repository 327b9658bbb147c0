package fusefs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"sort"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// memRoot is a go-fuse file system in memory: "big", "link" and 500 files in
// "dir".
type memRoot struct {
	gofs.Inode
	big []byte
}

func (r *memRoot) OnAdd(ctx context.Context) {
	big := &gofs.MemRegularFile{Data: r.big, Attr: gofuse.Attr{Mode: 0o640}}
	r.AddChild("big", r.NewPersistentInode(ctx, big, gofs.StableAttr{}), false)
	link := &gofs.MemSymlink{Data: []byte("dir/file7")}
	r.AddChild("link", r.NewPersistentInode(ctx, link, gofs.StableAttr{Mode: syscall.S_IFLNK}), false)
	dir := r.NewPersistentInode(ctx, &gofs.Inode{}, gofs.StableAttr{Mode: syscall.S_IFDIR})
	r.AddChild("dir", dir, false)
	for i := range 500 {
		f := &gofs.MemRegularFile{Data: fmt.Appendf(nil, "content of %d", i)}
		dir.AddChild(fmt.Sprintf("file%d", i), r.NewPersistentInode(ctx, f, gofs.StableAttr{}), false)
	}
}

// TestMemory reads and writes go-fuse's file system in memory, whose files
// are opened with FOPEN_KEEP_CACHE and without handles.
func TestMemory(t *testing.T) {
	for _, valid := range []time.Duration{0, time.Hour} {
		mem := &memRoot{big: randomBytes(1 << 20)}
		c := newCounter(newGoServer(mem, serverOptions{valid: valid}))
		f := mount(t, c, Options{})
		root := f.Root()
		if got := list(t, root, 2); !slices.Equal(sorted(got), []string{"big", "dir", "link"}) {
			t.Errorf("listing %q", got)
		}
		dir := lookup(t, root, "dir")
		if got := list(t, dir, 100); len(got) != 500 {
			t.Errorf("%d files", len(got))
		}
		for i := range 500 {
			n := lookup(t, dir, fmt.Sprintf("file%d", i))
			if got := string(readAll(t, n)); got != fmt.Sprintf("content of %d", i) {
				t.Errorf("file%d: %q", i, got)
			}
			n.Unref()
		}
		dir.Unref()
		link := lookup(t, root, "link")
		if target, err := link.Readlink(); target != "dir/file7" || err != nil {
			t.Errorf("link to %q, %v", target, err)
		}
		link.Unref()
		big := lookup(t, root, "big")
		if !bytes.Equal(readAll(t, big), mem.big) {
			t.Error("big file differs")
		}
		file, err := big.Open(os.O_RDWR | os.O_APPEND)
		if err != nil {
			t.Fatal(err)
		}
		// This server knows nothing of O_APPEND: the offset is ours to find.
		for i := range 3 {
			if n, end, err := file.WriteAt([]byte("more"), 0); n != 4 || end != int64(1<<20+4*i+4) || err != nil {
				t.Errorf("append: %d, %d, %v", n, end, err)
			}
		}
		if got := readAll(t, big); len(got) != 1<<20+12 || string(got[1<<20:]) != "moremoremore" {
			t.Errorf("%d bytes, ending in %q", len(got), got[1<<20:])
		}
		var a fs.Attr
		if err := file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 3}, &a); err != nil || a.Size != 3 {
			t.Errorf("truncate: %d, %v", a.Size, err)
		}
		if got := readAll(t, big); !bytes.Equal(got, mem.big[:3]) {
			t.Errorf("%d bytes after truncate", len(got))
		}
		file.Release()
		big.Unref()
		root.Unref()
		f.Close()
		c.check(t)
	}
}

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}

// TestInFlight: many requests at once, each with its own answer.
func TestInFlight(t *testing.T) {
	s := newScript(0)
	c := newCounter(s)
	f := mount(t, c, Options{})
	n := lookup(t, f.root, "f")
	file, err := n.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	const many = 50
	arrived, leave := make(chan uint64, many), make(chan bool)
	s.ops[fuse.FUSE_READ] = func(k *call) {
		var in fuse.ReadIn
		in.Decode(k.args)
		arrived <- k.Unique
		<-leave
		k.ok([]byte{byte(in.Offset)})
	}
	errs := make(chan error, many)
	for i := range many {
		go func() {
			buf := make([]byte, 1)
			k, err := file.ReadAt(buf, int64(i))
			if err == nil && (k != 1 || buf[0] != byte(i)) {
				err = fmt.Errorf("read %d at %d gave %d", k, i, buf[0])
			}
			errs <- err
		}()
	}
	seen := map[uint64]bool{}
	for range many {
		seen[<-arrived] = true
	}
	if len(seen) != many {
		t.Errorf("%d ids for %d requests in flight", len(seen), many)
	}
	close(leave)
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	file.Release()
	n.Unref()
	f.Close()
	c.check(t)
}
