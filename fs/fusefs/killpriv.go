package fusefs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Set-id bits are to go when a file is given to another owner, and when
// somebody who is not root writes to it or cuts it. With FUSE_HANDLE_KILLPRIV
// the server always does that by itself; with FUSE_HANDLE_KILLPRIV_V2 it does
// it on a change of owner, and for the rest where a request says so; with
// neither, the client takes the bits off with SETATTR.

// killMode is mode without the bits that go: set-uid, and set-gid where the
// group may execute (else it marks mandatory locking).
func killMode(mode uint32) uint32 {
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		return mode
	}
	mode &^= syscall.S_ISUID
	if mode&0o010 != 0 {
		mode &^= syscall.S_ISGID
	}
	return mode
}

// isRoot reports whether the caller may keep set-id bits (CAP_FSETID).
func (f *FS) isRoot() bool { return f.uid.Load() == 0 }

// setattrPriv adds to a SETATTR what it has to say of set-id bits.
func (n *node) setattrPriv(in *fuse.SetattrIn) error {
	s := &n.fs.session
	owner := in.Valid&(fuse.FATTR_UID|fuse.FATTR_GID) != 0
	size := in.Valid&fuse.FATTR_SIZE != 0 && !n.fs.isRoot()
	switch {
	case !owner && !size:
		return nil
	case s.has(fuse.FUSE_HANDLE_KILLPRIV_V2):
		if size {
			in.Valid |= fuse.FATTR_KILL_SUIDGID
		}
		return nil
	case s.has(fuse.FUSE_HANDLE_KILLPRIV), in.Valid&fuse.FATTR_MODE != 0, n.typ != syscall.S_IFREG:
		return nil
	}
	var a fs.Attr
	if err := n.fetchAttr(&a, nil); err != nil {
		return err
	}
	if mode := killMode(a.Mode); mode != a.Mode {
		in.Valid |= fuse.FATTR_MODE
		in.Mode = mode
	}
	return nil
}

// writePriv does what is due before data is written by somebody other than
// root, and returns the flags that the WRITE carries.
func (n *node) writePriv() (uint32, error) {
	f := n.fs
	if f.isRoot() {
		return 0, nil
	}
	if f.session.has(fuse.FUSE_HANDLE_KILLPRIV_V2) {
		return fuse.FUSE_WRITE_KILL_SUIDGID, nil
	}
	if f.session.has(fuse.FUSE_HANDLE_KILLPRIV) {
		return 0, nil
	}
	var a fs.Attr
	if err := n.getattr(&a, nil); err != nil {
		return 0, err
	}
	mode := killMode(a.Mode)
	if mode == a.Mode {
		return 0, nil
	}
	in := fuse.SetattrIn{Valid: fuse.FATTR_MODE, Mode: mode}
	return 0, n.sendSetattr(&in, &a)
}

// openPriv returns the FUSE_OPEN flags for an open with O_ flags.
func (f *FS) openPriv(flags int) uint32 {
	if flags&syscall.O_TRUNC != 0 && !f.isRoot() && f.session.has(fuse.FUSE_HANDLE_KILLPRIV_V2) {
		return fuse.FUSE_OPEN_KILL_SUIDGID
	}
	return 0
}
