package fuse

// SetxattrIn is struct fuse_setxattr_in: with FUSE_SETXATTR_EXT; without it only the first 8 bytes are sent.
type SetxattrIn struct {
	Size          uint32 // bytes of the value
	Flags         uint32 // XATTR_CREATE, XATTR_REPLACE
	SetxattrFlags uint32 // FUSE_SETXATTR_ACL_KILL_SGID
}

func (x *SetxattrIn) layout(c *coder) {
	c.u32(&x.Size)
	c.u32(&x.Flags)
	c.u32(&x.SetxattrFlags)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *SetxattrIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, SetxattrInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *SetxattrIn) Decode(b []byte) error {
	if len(b) < SetxattrInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// GetxattrIn is struct fuse_getxattr_in: the request of GETXATTR and LISTXATTR.
type GetxattrIn struct {
	Size uint32 // bytes of room, 0 to ask for the size
}

func (x *GetxattrIn) layout(c *coder) {
	c.u32(&x.Size)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *GetxattrIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, GetxattrInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *GetxattrIn) Decode(b []byte) error {
	if len(b) < GetxattrInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// GetxattrOut is struct fuse_getxattr_out: the answer where the request had size 0.
type GetxattrOut struct {
	Size uint32 // bytes
}

func (x *GetxattrOut) layout(c *coder) {
	c.u32(&x.Size)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *GetxattrOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, GetxattrOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *GetxattrOut) Decode(b []byte) error {
	if len(b) < GetxattrOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
