package overlay

import (
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// xattrs is who has n's extended attributes. A lower file system that has none at all does
// as an upper file would that has none, so that it takes no copy to see that.
func (n *node) xattrs() (fs.XattrNode, error) {
	if x, ok := n.now().(fs.XattrNode); ok {
		return x, nil
	}
	b, err := n.fs.blankOf(n.kind)
	if err != nil {
		return nil, err
	}
	if x, ok := b.(fs.XattrNode); ok {
		return x, nil
	}
	return nil, syscall.EOPNOTSUPP
}

// changing is xattrs of the file that is copied up.
func (n *node) changing() (fs.XattrNode, error) {
	u, err := n.copyUp(true)
	if err != nil {
		return nil, err
	}
	if x, ok := u.(fs.XattrNode); ok {
		return x, nil
	}
	return nil, syscall.EOPNOTSUPP
}

// Getxattr implements fs.XattrNode, like the methods that follow.
func (n *node) Getxattr(name string, dst []byte) (int, error) {
	x, err := n.xattrs()
	if err != nil {
		return 0, err
	}
	return x.Getxattr(name, dst)
}

func (n *node) Listxattr(dst []byte) (int, error) {
	x, err := n.xattrs()
	if err != nil {
		return 0, err
	}
	return x.Listxattr(dst)
}

func (n *node) Setxattr(name string, value []byte, flags int) error {
	x, err := n.changing()
	if err != nil {
		return err
	}
	return x.Setxattr(name, value, flags)
}

func (n *node) Removexattr(name string) error {
	x, err := n.xattrs()
	if err != nil {
		return err
	}
	if _, err := x.Getxattr(name, nil); err != nil {
		return x.Removexattr(name) // which says why not
	}
	if x, err = n.changing(); err != nil {
		return err
	}
	return x.Removexattr(name)
}

// copyXattrs copies the attributes of a file.
func copyXattrs(to, from fs.Node) error {
	src, ok := from.(fs.XattrNode)
	if !ok {
		return nil
	}
	names, err := fs.ReadXattr(src, "")
	if err == syscall.EOPNOTSUPP || err == syscall.ENOSYS || err == nil && len(names) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	dst, ok := to.(fs.XattrNode)
	if !ok {
		return syscall.EOPNOTSUPP
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		value, err := fs.ReadXattr(src, name)
		if err == syscall.ENODATA {
			continue
		}
		if err == nil {
			err = dst.Setxattr(name, value, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
