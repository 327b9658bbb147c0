package tmpfs

import (
	"sort"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

const (
	xattrCreate  = 1
	xattrReplace = 2
)

// mayHave tells if n can have an attribute of that name, as Linux's tmpfs
// decides it for the superuser.
func (n *node) mayHave(name string) error {
	space, rest, _ := strings.Cut(name, ".")
	switch {
	case space == "user" && n.kind != syscall.S_IFREG && n.kind != syscall.S_IFDIR:
		return syscall.EPERM
	case space != "user" && space != "trusted" && space != "security":
		return syscall.EOPNOTSUPP
	case rest == "":
		return syscall.EINVAL
	}
	return nil
}

// Getxattr implements fs.XattrNode, like the methods that follow.
func (n *node) Getxattr(name string, dst []byte) (int, error) {
	if err := n.mayHave(name); err != nil {
		if err == syscall.EPERM {
			err = syscall.ENODATA
		}
		return 0, err
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	v, ok := n.xattrs[name]
	if !ok {
		return 0, syscall.ENODATA
	}
	return fill(dst, v)
}

// fill copies v to dst, if that is not empty, and returns v's length.
func fill(dst, v []byte) (int, error) {
	if len(dst) > 0 && len(v) > len(dst) {
		return 0, syscall.ERANGE
	}
	copy(dst, v)
	return len(v), nil
}

func (n *node) Setxattr(name string, value []byte, flags int) error {
	if err := n.mayHave(name); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	old, ok := n.xattrs[name]
	switch {
	case ok && flags&xattrCreate != 0:
		return syscall.EEXIST
	case !ok && flags&xattrReplace != 0:
		return syscall.ENODATA
	}
	more := n.xattrSize + len(value) - len(old)
	if !ok {
		more += len(name) + 1
	}
	if more > fs.XattrMax {
		return syscall.ENOSPC
	}
	n.xattrSize = more
	if n.xattrs == nil {
		n.xattrs = make(map[string][]byte)
	}
	n.xattrs[name] = append([]byte(nil), value...)
	n.ctime = clock()
	return nil
}

func (n *node) Listxattr(dst []byte) (int, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	names := make([]string, 0, len(n.xattrs))
	for name := range n.xattrs {
		names = append(names, name)
	}
	sort.Strings(names)
	var list []byte
	for _, name := range names {
		list = append(append(list, name...), 0)
	}
	return fill(dst, list)
}

func (n *node) Removexattr(name string) error {
	if err := n.mayHave(name); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok := n.xattrs[name]
	if !ok {
		return syscall.ENODATA
	}
	delete(n.xattrs, name)
	n.xattrSize -= len(name) + 1 + len(v)
	n.ctime = clock()
	return nil
}
