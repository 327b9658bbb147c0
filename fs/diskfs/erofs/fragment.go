package erofs

import "io"

// fragment reads what is in the packed inode, with parts of other files: a whole file, or its last extent.
type fragment struct {
	from io.ReaderAt
	at   uint64
}

// newFragment is size bytes of the packed inode, from at on.
func newFragment(i *inode, at, size uint64) (*fragment, error) {
	f := i.f
	switch {
	case f.packed == 0:
		return nil, i.corrupt("h_fragmentoff", at, "nothing: the superblock has no packed_nid")
	case f.packed == i.nid:
		return nil, i.corrupt("h_fragmentoff", at, "nothing: it is the inode with fragments itself")
	}
	packed, err := f.inode(f.packed)
	if err != nil {
		return nil, err
	}
	if at > packed.size || size > packed.size-at {
		return nil, i.corrupt("h_fragmentoff", at, "a place of %d bytes in inode %d, which has %d", size, f.packed, packed.size)
	}
	from, err := packed.content()
	return &fragment{from, at}, err
}

// ReadAt implements io.ReaderAt. P ends where the fragment does at the latest.
func (r *fragment) ReadAt(p []byte, off int64) (int, error) {
	return r.from.ReadAt(p, int64(r.at)+off)
}
