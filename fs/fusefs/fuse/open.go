package fuse

// OpenIn is struct fuse_open_in.
type OpenIn struct {
	Flags     uint32 // O_ constants
	OpenFlags uint32 // FUSE_OPEN_KILL_SUIDGID
}

func (x *OpenIn) layout(c *coder) {
	c.u32(&x.Flags)
	c.u32(&x.OpenFlags)
}

// AppendTo appends the 8 bytes of x to b.
func (x *OpenIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, OpenInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *OpenIn) Decode(b []byte) error {
	if len(b) < OpenInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// OpenOut is struct fuse_open_out.
type OpenOut struct {
	Fh        uint64
	OpenFlags uint32 // FOPEN_ constants
	BackingId int32  // FOPEN_PASSTHROUGH
}

func (x *OpenOut) layout(c *coder) {
	c.u64(&x.Fh)
	c.u32(&x.OpenFlags)
	c.i32(&x.BackingId)
}

// AppendTo appends the 16 bytes of x to b.
func (x *OpenOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, OpenOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *OpenOut) Decode(b []byte) error {
	if len(b) < OpenOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// ReleaseIn is struct fuse_release_in.
type ReleaseIn struct {
	Fh           uint64
	Flags        uint32 // those of the open
	ReleaseFlags uint32 // FUSE_RELEASE_ constants
	LockOwner    uint64
}

func (x *ReleaseIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u32(&x.Flags)
	c.u32(&x.ReleaseFlags)
	c.u64(&x.LockOwner)
}

// AppendTo appends the 24 bytes of x to b.
func (x *ReleaseIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, ReleaseInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *ReleaseIn) Decode(b []byte) error {
	if len(b) < ReleaseInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// FlushIn is struct fuse_flush_in.
type FlushIn struct {
	Fh        uint64
	LockOwner uint64
}

func (x *FlushIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.skip(4)
	c.skip(4)
	c.u64(&x.LockOwner)
}

// AppendTo appends the 24 bytes of x to b.
func (x *FlushIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, FlushInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *FlushIn) Decode(b []byte) error {
	if len(b) < FlushInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
