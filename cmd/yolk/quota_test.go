package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
)

// quota is what a user may have of a file system, in bytes.
const quota = 6 << 20

// quotaNode is a node of a file system of the host with a quota: data that goes beyond it is
// EDQUOT, until a file is removed.
type quotaNode struct {
	gofs.LoopbackNode
	used *atomic.Int64
}

var (
	_ = (gofs.NodeWriter)((*quotaNode)(nil))
	_ = (gofs.NodeUnlinker)((*quotaNode)(nil))
	_ = (gofs.NodeOpener)((*quotaNode)(nil))
	_ = (gofs.NodeCreater)((*quotaNode)(nil))
)

func (n *quotaNode) Write(ctx context.Context, f gofs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	if n.used.Add(int64(len(data))) > quota {
		n.used.Add(-int64(len(data)))
		return 0, syscall.EDQUOT
	}
	return f.(gofs.FileWriter).Write(ctx, data, off)
}

// counted is an open file whose data does not go past the server, as the kernel would have it
// for a file of a disk.
type counted struct{ *gofs.LoopbackFile }

func (counted) PassthroughFd() (int, bool) { return 0, false }

func counting(f gofs.FileHandle, errno syscall.Errno) (gofs.FileHandle, syscall.Errno) {
	if errno != 0 {
		return nil, errno
	}
	return counted{f.(*gofs.LoopbackFile)}, 0
}

func (n *quotaNode) Open(ctx context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	f, given, errno := n.LoopbackNode.Open(ctx, flags)
	f, errno = counting(f, errno)
	return f, given, errno
}

func (n *quotaNode) Create(ctx context.Context, name string, flags, mode uint32, out *gofuse.EntryOut) (*gofs.Inode, gofs.FileHandle, uint32, syscall.Errno) {
	node, f, given, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	f, errno = counting(f, errno)
	return node, f, given, errno
}

func (n *quotaNode) Unlink(ctx context.Context, name string) syscall.Errno {
	info, err := os.Lstat(filepath.Join(n.RootData.Path, n.Path(n.Root()), name))
	errno := n.LoopbackNode.Unlink(ctx, name)
	if err == nil && errno == 0 {
		n.used.Add(-info.Size())
	}
	return errno
}

// quotaDir mounts such a file system, until the test's end.
func quotaDir(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this host has no FUSE, and so no file system of ours with a quota: ", err)
	}
	dir, root, used := sharedDir(t), &gofs.LoopbackRoot{Path: t.TempDir()}, new(atomic.Int64)
	root.NewNode = func(data *gofs.LoopbackRoot, parent *gofs.Inode, name string, st *syscall.Stat_t) gofs.InodeEmbedder {
		return &quotaNode{gofs.LoopbackNode{RootData: data}, used}
	}
	root.RootNode = root.NewNode(root, nil, "", nil)
	server, err := gofs.Mount(dir, root.RootNode, &gofs.Options{MountOptions: gofuse.MountOptions{FsName: "quota", DirectMount: true}})
	if err != nil && os.Geteuid() != 0 {
		t.Skip("this user cannot mount a file system with FUSE: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestGuestQuota: a user's quota on the host is EDQUOT for the program, with both servers and
// on its output, and what yolk itself cannot keep is said with what to do.
func TestGuestQuota(t *testing.T) {
	needGuest(t)
	dir := program(t, "quota")
	const want = "filled: true true write /data/fill: disk quota exceeded\n" +
		"another file: write /data/another: disk quota exceeded\n" +
		"what is there: true <nil> <nil>\nremoved: <nil>\nanother file: <nil>\n"
	for _, run := range []struct{ machine, daemon string }{{"microvm", "virtiofsd"}, {"q35", "builtin"}} {
		t.Run(run.daemon, func(t *testing.T) {
			needDaemon(t, run.daemon)
			data := quotaDir(t)
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--timeout", "300s", "--machine", run.machine, "--daemon", run.daemon, "--mount", data+":/data", "."))
			if got.status != 0 || got.stdout != want {
				t.Errorf("%+v, want %q", got, want)
			}
		})
	}
	t.Run("output", func(t *testing.T) {
		dir := quotaDir(t)
		out, err := os.Create(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "much"), make([]byte, quota-10_000), 0o644); err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := streamsRun(t, streamsProgram(t), "microvm", "yes")
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = out, &stderr
		checkStatus(t, cmd, cmd.Run(), 3)
		if want := "write /dev/stdout: disk quota exceeded\n"; stderr.String() != want {
			t.Errorf("%q, want %q", stderr.String(), want)
		}
	})
	t.Run("cache", func(t *testing.T) {
		chain := runCommand(t, yolkCommand(t, dir, "toolchain"))
		build, err := goCommandOutput("env", "GOCACHE")
		if err != nil {
			t.Fatal(err)
		}
		cmd := yolkCommand(t, dir, "run", "-q", "--timeout", "300s", ".")
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+quotaDir(t), "TAMAGO="+strings.TrimSpace(chain.stdout), "GOCACHE="+strings.TrimSpace(string(build)))
		got := runCommand(t, cmd)
		if got.status != exit.Failed || !strings.Contains(got.stderr, "disk quota exceeded") || !strings.Contains(got.stderr, "free some space") {
			t.Errorf("%+v", got)
		}
	})
}
