package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/qemu"
)

// guestTree is the guest's tree as far as the host can tell before the boot: which
// directory of the host is where. It finds the mistakes for which the guest,
// once it runs, has only a line in a log.
type guestTree struct {
	dirs map[string]string // of the host, by their path in the guest; "" for the kernel's own
	by   map[string]string // the option that has put it there
	own  bool              // the root is the image's own
}

// kernelDirs are the directories that the kernel has its own file systems on.
var kernelDirs = []string{"/tmp", "/proc", "/dev"}

// The limits of names, paths and links in the guest.
const (
	nameMax  = 255
	pathMax  = 4095
	maxLinks = 40
)

// newGuestTree places the shares in the order in which the kernel does. Without a root among
// them it is the image's own if that has one.
func newGuestTree(shares []qemu.Share, ownRoot bool) (*guestTree, error) {
	t := &guestTree{dirs: map[string]string{"/": ""}, by: map[string]string{}, own: ownRoot}
	for _, dir := range kernelDirs {
		t.dirs[dir] = ""
	}
	shares = slices.Clone(shares)
	slices.SortStableFunc(shares, func(a, b qemu.Share) int { return len(a.Path) - len(b.Path) })
	for _, s := range shares {
		if s.Tag == rootTag {
			t.dirs["/"], t.own = s.Dir, false
		}
	}
	for _, s := range shares {
		if s.Tag == rootTag {
			continue
		}
		if err := t.mount(s); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// mount puts a share in its place.
func (t *guestTree) mount(s qemu.Share) error {
	option := fmt.Sprintf("--mount %s:%s", s.Dir, s.Path)
	switch {
	case s.Path == "/":
		return fmt.Errorf("%s: what is to be the root goes to --root", option)
	case slices.Contains(kernelDirs, s.Path):
		return fmt.Errorf("%s: the guest has a %s of its own; mount it elsewhere, or below %[2]s", option, s.Path)
	}
	parent, err := t.resolve(path.Dir(s.Path), true)
	if err != nil {
		return fmt.Errorf("%s: %s in the guest: %w", option, parent, err)
	}
	name := path.Base(s.Path)
	if err := checkName(name); err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	at := path.Join(parent, name)
	if other, taken := t.by[at]; taken {
		return fmt.Errorf("%s: %s is taken by %s", option, at, other)
	}
	if _, taken := t.dirs[at]; taken {
		return fmt.Errorf("%s: the guest has a %s of its own; mount it elsewhere, or below %[2]s", option, at)
	}
	t.dirs[at], t.by[at] = s.Dir, option
	return nil
}

func checkName(name string) error {
	if len(name) > nameMax {
		return fmt.Errorf("%.20s…: a name of %d bytes; %d are the most", name, len(name), nameMax)
	}
	if strings.ContainsRune(name, 0) {
		return fmt.Errorf("%q: a name with a NUL byte", name)
	}
	return nil
}

// checkDir reports why a directory cannot be the program's working directory.
func (t *guestTree) checkDir(dir string) error {
	if strings.ContainsRune(dir, 0) {
		return fmt.Errorf("--cwd %q: a name with a NUL byte", dir)
	}
	at, err := t.resolve("/"+dir, false)
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) && t.dirs["/"] == "" {
		return fmt.Errorf("--cwd %q: the guest has no such directory: share one with --root or --mount", dir)
	}
	return fmt.Errorf("--cwd %q: %s in the guest: %w", dir, at, err)
}

// resolve follows a path of the guest, with its links, and returns the
// directory that it leads to. With an error it is where the way ended. What is
// missing is an error unless the kernel makes it, as it does above a mount; what
// this process may not look at, or is the image's, is taken to be there.
func (t *guestTree) resolve(name string, made bool) (at string, err error) {
	if len(name) > pathMax {
		return name, fmt.Errorf("a path of %d bytes; %d are the most", len(name), pathMax)
	}
	at, rest, links := "/", name, 0
	for {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return at, nil
		}
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		switch elem {
		case ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		if err := checkName(elem); err != nil {
			return at, err
		}
		next := path.Join(at, elem)
		if _, ok := t.dirs[next]; ok {
			at = next
			continue
		}
		host, err := t.lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist) && (made || t.above(next)):
			at = next
		case errors.Is(err, fs.ErrPermission), t.own && t.host(next) == "":
			at = next
		case err != nil:
			return next, err
		case host.Mode()&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return next, syscall.ELOOP
			}
			target, err := os.Readlink(t.host(next))
			if err != nil {
				return next, errors.Unwrap(err)
			}
			if path.IsAbs(target) {
				at = "/"
			}
			rest = target + "/" + rest
		case !host.IsDir():
			return next, syscall.ENOTDIR
		default:
			at = next
		}
	}
}

// above reports whether something is mounted below a path.
func (t *guestTree) above(name string) bool {
	for at := range t.dirs {
		if strings.HasPrefix(at, name+"/") {
			return true
		}
	}
	return false
}

// host returns the path on the host of a path in the guest that has no links
// in it but at its end; "" if the host does not have it.
func (t *guestTree) host(name string) string {
	for at := name; ; at = path.Dir(at) {
		if dir, ok := t.dirs[at]; ok {
			if dir == "" {
				return ""
			}
			return path.Join(dir, strings.TrimPrefix(name, at))
		}
	}
}

func (t *guestTree) lstat(name string) (fs.FileInfo, error) {
	host := t.host(name)
	if host == "" {
		return nil, syscall.ENOENT
	}
	info, err := os.Lstat(host)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	return info, nil
}
