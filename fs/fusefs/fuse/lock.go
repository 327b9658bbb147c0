package fuse

// FileLock is struct fuse_file_lock.
type FileLock struct {
	Start uint64
	End   uint64 // last byte, inclusive
	Type  uint32 // F_RDLCK, F_WRLCK or F_UNLCK
	Pid   uint32
}

func (x *FileLock) layout(c *coder) {
	c.u64(&x.Start)
	c.u64(&x.End)
	c.u32(&x.Type)
	c.u32(&x.Pid)
}

// AppendTo appends the 24 bytes of x to b.
func (x *FileLock) AppendTo(b []byte) []byte {
	c, b := encoder(b, FileLockSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *FileLock) Decode(b []byte) error {
	if len(b) < FileLockSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// LkIn is struct fuse_lk_in: the request of GETLK, SETLK and SETLKW.
type LkIn struct {
	Fh      uint64
	Owner   uint64
	Lk      FileLock
	LkFlags uint32 // FUSE_LK_FLOCK
}

func (x *LkIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Owner)
	x.Lk.layout(c)
	c.u32(&x.LkFlags)
	c.skip(4)
}

// AppendTo appends the 48 bytes of x to b.
func (x *LkIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, LkInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 48 bytes of b, or returns ErrShort.
func (x *LkIn) Decode(b []byte) error {
	if len(b) < LkInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// LkOut is struct fuse_lk_out.
type LkOut struct {
	Lk FileLock
}

func (x *LkOut) layout(c *coder) {
	x.Lk.layout(c)
}

// AppendTo appends the 24 bytes of x to b.
func (x *LkOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, LkOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *LkOut) Decode(b []byte) error {
	if len(b) < LkOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
