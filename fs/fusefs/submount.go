package fusefs

import (
	"strings"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.SubmountNode = (*node)(nil)

// A server's directory may have other file systems of the host mounted in it.
// To a client with FUSE_SUBMOUNTS the server marks the root of each (FUSE_ATTR_SUBMOUNT);
// what lies below belongs to it. Inode numbers are good within one only, so each
// has a number, which makes a device number of its own (fs.Dentry.Dev).

// submountKey is how a mount of the host is known again after its nodes were
// forgotten: the server says nothing of its identity.
type submountKey struct {
	mount uint32 // that it lies in
	dir   uint64 // inode number of the directory; 0: the root of the share
	name  string
	ino   uint64 // of its own root
}

type submount struct {
	number  uint32
	id, gen uint64 // of the node that was its root last
}

// maxSubmounts is how many mounts are known again. A host has fewer.
const maxSubmounts = 4096

// submount returns the number of the mount whose root e is, the entry called
// name in dir. FS.table.mu is held.
func (f *FS) submount(dir *node, name string, e *fuse.EntryOut) uint32 {
	t := &f.table
	key := submountKey{mount: dir.mount, name: strings.Clone(name), ino: e.Attr.Ino}
	if dir != f.root {
		dir.mu.Lock()
		key.dir = dir.attr.Ino
		dir.mu.Unlock()
	}
	s, known := t.submounts[key]
	// While the root that was here is in use, another one has taken its place.
	if old := t.m[s.id]; !known || old != nil && old.gen == s.gen {
		t.lastSubmount++
		s.number = t.lastSubmount
	}
	s.id, s.gen = e.Nodeid, e.Generation
	if t.submounts == nil || len(t.submounts) >= maxSubmounts {
		t.submounts = make(map[submountKey]submount)
	}
	t.submounts[key] = s
	return s.number
}

// Submount implements fs.SubmountNode.
func (n *node) Submount() uint32 { return n.mount }

// mountRoots returns the roots of the file systems of the server that are in
// use here, with references.
func (f *FS) mountRoots() []*node {
	t := &f.table
	t.mu.Lock()
	defer t.mu.Unlock()
	f.root.Ref()
	roots := []*node{f.root}
	if len(t.submounts) == 0 {
		return roots
	}
	for _, n := range t.m {
		if n.top {
			n.Ref()
			roots = append(roots, n)
		}
	}
	return roots
}
