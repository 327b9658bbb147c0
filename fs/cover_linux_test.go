package fs_test

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// names are the calls of TestCoverLikeLinux, of a kernel or of Linux.
type names struct {
	write    func(path, text string, flags int) syscall.Errno
	text     func(path string) string
	truncate func(path string, size int64) syscall.Errno
	chmod    func(path string, mode uint32) syscall.Errno
	mode     func(path string) uint32 // of the file's type, too
	mkdir    func(path string) syscall.Errno
	symlink  func(to, path string) syscall.Errno
	link     func(from, path string) syscall.Errno
	rename   func(from, to string, flags uint32) syscall.Errno
	remove   func(path string, flags int) syscall.Errno
	access   func(path string, mode uint32) syscall.Errno
}

// TestCoverLikeLinux: what is covered is to a program what it finds on Linux where
// a file is mounted over another, as containers do with /etc/hosts and its like.
func TestCoverLikeLinux(t *testing.T) {
	type cover struct {
		dir      bool // there is an /etc, with a hosts of its own
		readOnly bool // all but what is mounted
	}
	play := func(c cover, n *names) (log []string) {
		note := func(what string, got any) {
			text := "done"
			switch got := got.(type) {
			case syscall.Errno:
				if got != 0 {
					text = got.Error()
				}
			case string:
				text = got
			}
			log = append(log, what+": "+text)
		}
		if c.dir && !c.readOnly {
			note("another", n.write("/etc/other", "other", syscall.O_CREAT))
			note("rename over", n.rename("/etc/other", "/etc/hosts", 0))
			note("exchange", n.rename("/etc/other", "/etc/hosts", fs.RenameExchange))
			note("rename over, not to replace", n.rename("/etc/other", "/etc/hosts", fs.RenameNoReplace))
			note("rename away", n.rename("/etc/hosts", "/etc/new", 0))
			note("rename to itself", n.rename("/etc/hosts", "/etc/hosts", 0))
			note("directory", n.mkdir("/etc/dir"))
			note("rename a directory over", n.rename("/etc/dir", "/etc/hosts", 0))
			note("rename over a directory", n.rename("/etc/hosts", "/etc/dir", 0))
			note("link", n.link("/etc/hosts", "/etc/new"))
			note("link over", n.link("/etc/other", "/etc/hosts"))
			note("link to it", n.symlink("hosts", "/etc/link"))
			note("by the link", n.text("/etc/link"))
		}
		if c.dir {
			note("remove", n.remove("/etc/hosts", 0))
			note("remove as a directory", n.remove("/etc/hosts", unix.AT_REMOVEDIR))
			note("remove with a slash", n.remove("/etc/hosts/", 0))
		}
		note("text", n.text("/etc/hosts"))
		note("make", n.write("/etc/hosts", "x", syscall.O_CREAT|syscall.O_EXCL))
		note("make a directory", n.mkdir("/etc/hosts"))
		note("make a link", n.symlink("x", "/etc/hosts"))
		note("may be written", n.access("/etc/hosts", unix.W_OK))
		note("chmod", n.chmod("/etc/hosts", 0o600))
		if mode := n.mode("/etc/hosts"); mode != syscall.S_IFREG|0o600 {
			t.Errorf("%+v: mode %o", c, mode)
		}
		note("text as before", n.text("/etc/hosts"))
		note("append", n.write("/etc/hosts", "more\n", syscall.O_APPEND))
		note("all of it", n.text("/etc/hosts"))
		note("truncate", n.truncate("/etc/hosts", 3))
		note("less of it", n.text("/etc/hosts"))
		note("write", n.write("/etc/hosts", "ours\n", syscall.O_CREAT|syscall.O_TRUNC))
		note("ours", n.text("/etc/hosts"))
		if c.dir {
			note("remove", n.remove("/etc/hosts", 0))
			note("still ours", n.text("/etc/hosts"))
		}
		return log
	}
	for name, c := range map[string]cover{"over a file": {dir: true}, "in a directory that the root lacks": {}, "over a file, read-only": {dir: true, readOnly: true}} {
		t.Run(name, func(t *testing.T) {
			root := tmpfs.New(tmpfs.Limits{})
			k := syscalls.New(fs.New(root, fs.MountOptions{}))
			if c.dir {
				want(t, "mkdir", k.Mkdirat(syscalls.AT_FDCWD, "/etc", 0o755), syscall.Errno(0))
				want(t, "hidden", writeTo(t, k, "/etc/hosts", "hidden\n", syscall.O_CREAT), syscall.Errno(0))
			}
			v := fs.New(root, fs.MountOptions{ReadOnly: c.readOnly})
			f := synth.New("ramfs", 1)
			theirs, err := tmpfs.New(tmpfs.Limits{}).NewGiven(0o644, nil, func(b []byte) []byte { return append(b, "theirs\n"...) })
			if err != nil {
				t.Fatal(err)
			}
			f.Dir().Add("etc/hosts", theirs)
			v.SetFallback(f)
			v.Cover("/etc/hosts")
			k = syscalls.New(v)
			ours := play(c, namesOfKernel(t, k))
			if c.dir {
				hidden := root.Root()
				e, err := hidden.Lookup("etc")
				if err == nil {
					e, err = e.Node.Lookup("hosts")
				}
				var a fs.Attr
				if err == nil {
					err = e.Node.Getattr(&a)
				}
				if err != nil || a.Size != int64(len("hidden\n")) {
					t.Errorf("the root's own: %v, %d bytes", err, a.Size)
				}
			}
			if os.Getuid() != 0 {
				t.Skip("Linux, which wants root for mounts, is not asked; what there is was done without it")
			}
			if theirs := namesOfLinux(t, c.readOnly, func(n *names) []string { return play(c, n) }); !equal(theirs, ours) {
				t.Errorf("Linux:\n%s\nhere:\n%s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
			}
		})
	}
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func namesOfKernel(t *testing.T, k *syscalls.Kernel) *names {
	const cwd = syscalls.AT_FDCWD
	return &names{
		write:    func(path, text string, flags int) syscall.Errno { return writeTo(t, k, path, text, flags) },
		text:     func(path string) string { return textOf(t, k, path) },
		truncate: k.Truncate,
		chmod:    func(path string, mode uint32) syscall.Errno { return k.Fchmodat(cwd, path, mode, 0) },
		mode: func(path string) uint32 {
			var st syscall.Stat_t
			k.Fstatat(cwd, path, &st, 0)
			return st.Mode
		},
		mkdir:   func(path string) syscall.Errno { return k.Mkdirat(cwd, path, 0o755) },
		symlink: func(to, path string) syscall.Errno { return k.Symlinkat(to, cwd, path) },
		link:    func(from, path string) syscall.Errno { return k.Linkat(cwd, from, cwd, path, 0) },
		rename: func(from, to string, flags uint32) syscall.Errno {
			return k.Renameat2(cwd, from, cwd, to, flags)
		},
		remove: func(path string, flags int) syscall.Errno { return k.Unlinkat(cwd, path, flags) },
		access: func(path string, mode uint32) syscall.Errno { return k.Faccessat(cwd, path, mode, 0) },
	}
}

// namesOfLinux plays in a mount namespace of its own, in which a file is mounted over
// /etc/hosts of a new directory.
func namesOfLinux(t *testing.T, readOnly bool, play func(n *names) []string) (log []string) {
	top, file := t.TempDir(), t.TempDir()+"/hosts"
	for name, text := range map[string]string{top + "/etc/hosts": "hidden\n", file: "theirs\n"} {
		os.Mkdir(top+"/etc", 0o755)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	errno := func(err error) syscall.Errno {
		e, _ := err.(syscall.Errno)
		return e
	}
	n := &names{
		write: func(path, text string, flags int) syscall.Errno {
			fd, err := unix.Open(top+path, unix.O_WRONLY|flags, 0o644)
			if err != nil {
				return errno(err)
			}
			defer unix.Close(fd)
			_, err = unix.Write(fd, []byte(text))
			return errno(err)
		},
		text: func(path string) string {
			text, err := os.ReadFile(top + path)
			if err != nil {
				return "[" + err.Error() + "]"
			}
			return string(text)
		},
		truncate: func(path string, size int64) syscall.Errno { return errno(unix.Truncate(top+path, size)) },
		chmod:    func(path string, mode uint32) syscall.Errno { return errno(unix.Chmod(top+path, mode)) },
		mode: func(path string) uint32 {
			var st unix.Stat_t
			unix.Stat(top+path, &st)
			return st.Mode
		},
		mkdir:   func(path string) syscall.Errno { return errno(unix.Mkdir(top+path, 0o755)) },
		symlink: func(to, path string) syscall.Errno { return errno(unix.Symlink(to, top+path)) },
		link:    func(from, path string) syscall.Errno { return errno(unix.Link(top+from, top+path)) },
		rename: func(from, to string, flags uint32) syscall.Errno {
			return errno(unix.Renameat2(unix.AT_FDCWD, top+from, unix.AT_FDCWD, top+to, uint(flags)))
		},
		remove: func(path string, flags int) syscall.Errno {
			return errno(unix.Unlinkat(unix.AT_FDCWD, top+path, flags))
		},
		access: func(path string, mode uint32) syscall.Errno {
			return errno(unix.Faccessat(unix.AT_FDCWD, top+path, mode, 0))
		},
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // which ends with the goroutine, and the namespace with it
		err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, "")
		}
		if err == nil && readOnly {
			if err = unix.Mount(top, top, "", unix.MS_BIND, ""); err == nil {
				err = unix.Mount("", top, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
			}
		}
		if err == nil {
			err = unix.Mount(file, top+"/etc/hosts", "", unix.MS_BIND, "")
		}
		if err == nil {
			log = play(n)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("a mount namespace: %v", err)
	}
	return log
}
