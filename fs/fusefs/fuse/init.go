package fuse

// InitIn is struct fuse_init_in: the first request.
type InitIn struct {
	Major        uint32
	Minor        uint32
	MaxReadahead uint32
	Flags        uint32
	Flags2       uint32 // FUSE_INIT_EXT: flags 32 to 63
}

func (x *InitIn) layout(c *coder) {
	c.u32(&x.Major)
	c.u32(&x.Minor)
	c.u32(&x.MaxReadahead)
	c.u32(&x.Flags)
	c.u32(&x.Flags2)
	c.skip(44)
}

// AppendTo appends the 64 bytes of x to b.
func (x *InitIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, InitInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 64 bytes of b, or returns ErrShort.
func (x *InitIn) Decode(b []byte) error {
	if len(b) < InitInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// InitOut is struct fuse_init_out: the answer to the first request. A server of minor 22 or less sends only the first 24 bytes.
type InitOut struct {
	Major               uint32
	Minor               uint32
	MaxReadahead        uint32
	Flags               uint32
	MaxBackground       uint16
	CongestionThreshold uint16
	MaxWrite            uint32 // bytes
	TimeGran            uint32 // nanoseconds
	MaxPages            uint16 // FUSE_MAX_PAGES: pages of 4096 bytes in one request
	MapAlignment        uint16 // FUSE_MAP_ALIGNMENT: log2 of bytes
	Flags2              uint32
	MaxStackDepth       uint32 // FUSE_PASSTHROUGH
}

func (x *InitOut) layout(c *coder) {
	c.u32(&x.Major)
	c.u32(&x.Minor)
	c.u32(&x.MaxReadahead)
	c.u32(&x.Flags)
	c.u16(&x.MaxBackground)
	c.u16(&x.CongestionThreshold)
	c.u32(&x.MaxWrite)
	c.u32(&x.TimeGran)
	c.u16(&x.MaxPages)
	c.u16(&x.MapAlignment)
	c.u32(&x.Flags2)
	c.u32(&x.MaxStackDepth)
	c.skip(24)
}

// AppendTo appends the 64 bytes of x to b.
func (x *InitOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, InitOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 64 bytes of b, or returns ErrShort.
func (x *InitOut) Decode(b []byte) error {
	if len(b) < InitOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
