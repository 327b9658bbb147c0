package fuse

// InHeader is struct fuse_in_header: it starts every request.
type InHeader struct {
	Len         uint32 // bytes of the whole request, this header included
	Opcode      uint32
	Unique      uint64 // FUSE_UNIQUE_RESEND is bit 63
	Nodeid      uint64
	Uid         uint32
	Gid         uint32
	Pid         uint32
	TotalExtlen uint16 // extensions at the end of the request, in units of 8 bytes
}

func (x *InHeader) layout(c *coder) {
	c.u32(&x.Len)
	c.u32(&x.Opcode)
	c.u64(&x.Unique)
	c.u64(&x.Nodeid)
	c.u32(&x.Uid)
	c.u32(&x.Gid)
	c.u32(&x.Pid)
	c.u16(&x.TotalExtlen)
	c.skip(2)
}

// AppendTo appends the 40 bytes of x to b.
func (x *InHeader) AppendTo(b []byte) []byte {
	c, b := encoder(b, InHeaderSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 40 bytes of b, or returns ErrShort.
func (x *InHeader) Decode(b []byte) error {
	if len(b) < InHeaderSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// OutHeader is struct fuse_out_header: it starts every reply.
type OutHeader struct {
	Len    uint32 // bytes of the whole reply, this header included
	Error  int32  // 0 or a negative errno above -512
	Unique uint64 // that of the request
}

func (x *OutHeader) layout(c *coder) {
	c.u32(&x.Len)
	c.i32(&x.Error)
	c.u64(&x.Unique)
}

// AppendTo appends the 16 bytes of x to b.
func (x *OutHeader) AppendTo(b []byte) []byte {
	c, b := encoder(b, OutHeaderSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *OutHeader) Decode(b []byte) error {
	if len(b) < OutHeaderSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// InterruptIn is struct fuse_interrupt_in: it tells the server to abandon another request.
type InterruptIn struct {
	Unique uint64 // of the request to interrupt
}

func (x *InterruptIn) layout(c *coder) {
	c.u64(&x.Unique)
}

// AppendTo appends the 8 bytes of x to b.
func (x *InterruptIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, InterruptInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *InterruptIn) Decode(b []byte) error {
	if len(b) < InterruptInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// ExtHeader is struct fuse_ext_header: it starts each request extension (7.38).
type ExtHeader struct {
	Size uint32 // bytes, this header and padding included
	Type uint32
}

func (x *ExtHeader) layout(c *coder) {
	c.u32(&x.Size)
	c.u32(&x.Type)
}

// AppendTo appends the 8 bytes of x to b.
func (x *ExtHeader) AppendTo(b []byte) []byte {
	c, b := encoder(b, ExtHeaderSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *ExtHeader) Decode(b []byte) error {
	if len(b) < ExtHeaderSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
