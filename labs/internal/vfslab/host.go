//go:build !tamago

package vfslab

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/labs/internal/report"
	"github.com/yolkos/yolk/syscalls"
)

func mount(func() fs.FileSystem) error { return errors.New("this is no machine of its own") }

func guestTree(string) Tree { return Tree{} }

// checkHosted looks at the file system through a kernel's system calls, in this
// process.
func checkHosted(r *report.Report, make func() fs.FileSystem) {
	Check(r, "", kernelTree(syscalls.New(fs.New(make(), fs.MountOptions{ReadOnly: true}))))
	if !r.Failed() {
		checkEmit(r, make())
	}
}

// checkEmit reads directories with no room behind the first entry.
func checkEmit(r *report.Report, f fs.FileSystem) {
	root := f.Root()
	one, err := root.Lookup("1")
	if err != nil {
		r.Fail(err.Error(), "")
		return
	}
	for _, n := range []fs.Node{root, one.Node} {
		d, err := n.Open(0)
		if err != nil {
			r.Fail(err.Error(), "")
			return
		}
		calls := 0
		err = d.ReadDir(0, func(*fs.Dirent) bool {
			calls++
			return false
		})
		d.Release()
		if calls != 1 || err != nil {
			r.Fail(fmt.Sprintf("emit returned false, which means that there is no room any more, and it was called %d times in all (%v).", calls, err),
				"TODO 3 and 4: if emit returns false, list returns nil.")
			return
		}
	}
	r.OK("list stops where there is no room any more")
}

// kernelTree is the root of a kernel.
func kernelTree(k *syscalls.Kernel) Tree {
	errOf := func(e syscall.Errno) error {
		if e == 0 {
			return nil
		}
		return e
	}
	in := func(name string) string { return "/" + strings.TrimPrefix(name, "/") }
	return Tree{
		open: func(name string) (int, error) {
			fd, e := k.Openat(syscalls.AT_FDCWD, in(name), syscall.O_RDONLY, 0)
			return fd, errOf(e)
		},
		close: func(fd int) error { return errOf(k.Close(fd)) },
		pread: func(fd int, p []byte, off int64) (int, error) {
			n, e := k.Pread(fd, p, off)
			return n, errOf(e)
		},
		dirents: func(fd int, p []byte) (int, error) {
			n, e := k.ReadDirent(fd, p)
			return n, errOf(e)
		},
		lstat: func(name string, st *syscall.Stat_t) error {
			return errOf(k.Fstatat(syscalls.AT_FDCWD, in(name), st, syscalls.AT_SYMLINK_NOFOLLOW))
		},
		readlink: func(name string) (string, error) {
			b := make([]byte, 256)
			n, e := k.Readlinkat(syscalls.AT_FDCWD, in(name), b)
			return string(b[:max(n, 0)]), errOf(e)
		},
	}
}
