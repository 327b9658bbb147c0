package options

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
// once it runs, has only a line in a log. The host does not look into the root that an image
// carries, nor into the file systems of disks: whatever is asked for is taken to be there.
type guestTree struct {
	dirs   map[string]string // of the host, by their path in the guest; "" for those that are not the host's
	by     map[string]string // the option that has put it there
	unseen map[string]bool   // the places in dirs that the host does not look into
}

// placed is what goes somewhere in the guest's tree.
type placed struct {
	option string
	at     string
	dir    string // of the host; "" for a disk
}

// KernelDirs are the directories that the kernel has its own file systems on.
var KernelDirs = []string{"/tmp", "/proc", "/dev"}

// The limits of names, paths and links in the guest.
const (
	nameMax  = 255
	pathMax  = 4095
	maxLinks = 40
)

// newGuestTree places the shares and disks in the order in which the kernel does. Without a root among
// them it is the image's own if that has one.
func newGuestTree(shares []qemu.Share, disks []qemu.DiskMount, ownRoot bool) (*guestTree, error) {
	t := &guestTree{dirs: map[string]string{"/": ""}, by: map[string]string{}, unseen: map[string]bool{"/": ownRoot}}
	for _, dir := range KernelDirs {
		t.dirs[dir] = ""
	}
	var list []placed
	for _, s := range shares {
		if s.Tag == RootTag {
			t.dirs["/"], t.by["/"], t.unseen["/"] = s.Dir, "--root "+s.Dir, false
			continue
		}
		if s.Path == "/" {
			return nil, fmt.Errorf("--mount %s:/: what is to be the root goes to --root", s.Dir)
		}
		list = append(list, placed{fmt.Sprintf("--mount %s:%s", s.Dir, s.Path), s.Path, s.Dir})
	}
	for _, m := range disks {
		list = append(list, placed{fmt.Sprintf("--mount-disk %s:%s", m.Name, m.Path), m.Path, ""})
	}
	slices.SortStableFunc(list, func(a, b placed) int { return len(a.at) - len(b.at) })
	for _, p := range list {
		if err := t.mount(p); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// mount puts something in its place.
func (t *guestTree) mount(p placed) error {
	at := "/"
	if p.at != "/" {
		parent, err := t.resolve(path.Dir(p.at), true)
		if err != nil {
			return fmt.Errorf("%s: %s in the guest: %w", p.option, parent, err)
		}
		name := path.Base(p.at)
		if err := checkName(name); err != nil {
			return fmt.Errorf("%s: %w", p.option, err)
		}
		at = path.Join(parent, name)
	}
	if other, taken := t.by[at]; taken {
		return fmt.Errorf("%s: %s is taken by %s", p.option, at, other)
	}
	if slices.Contains(KernelDirs, at) {
		return fmt.Errorf("%s: the guest has a %s of its own; mount it elsewhere, or below %[2]s", p.option, at)
	}
	t.dirs[at], t.by[at], t.unseen[at] = p.dir, p.option, p.dir == ""
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
// this process may not look at, or does not, is taken to be there.
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
		case errors.Is(err, fs.ErrPermission), t.unseen[t.place(next)]:
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

// place returns what of dirs a path is in.
func (t *guestTree) place(name string) string {
	for {
		if _, ok := t.dirs[name]; ok {
			return name
		}
		name = path.Dir(name)
	}
}

// host returns the path on the host of a path in the guest that has no links
// in it but at its end; "" if the host does not have it.
func (t *guestTree) host(name string) string {
	at := t.place(name)
	if t.dirs[at] == "" {
		return ""
	}
	return path.Join(t.dirs[at], strings.TrimPrefix(name, at))
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
