package fuse

// ReadIn is struct fuse_read_in: the request of READ, READDIR and READDIRPLUS.
type ReadIn struct {
	Fh        uint64
	Offset    uint64 // bytes, or the cookie of a directory entry
	Size      uint32 // bytes
	ReadFlags uint32 // FUSE_READ_LOCKOWNER
	LockOwner uint64
	Flags     uint32 // those of the open
}

func (x *ReadIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Offset)
	c.u32(&x.Size)
	c.u32(&x.ReadFlags)
	c.u64(&x.LockOwner)
	c.u32(&x.Flags)
	c.skip(4)
}

// AppendTo appends the 40 bytes of x to b.
func (x *ReadIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, ReadInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 40 bytes of b, or returns ErrShort.
func (x *ReadIn) Decode(b []byte) error {
	if len(b) < ReadInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// WriteIn is struct fuse_write_in.
type WriteIn struct {
	Fh         uint64
	Offset     uint64
	Size       uint32 // bytes
	WriteFlags uint32 // FUSE_WRITE_ constants
	LockOwner  uint64
	Flags      uint32 // those of the open
}

func (x *WriteIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Offset)
	c.u32(&x.Size)
	c.u32(&x.WriteFlags)
	c.u64(&x.LockOwner)
	c.u32(&x.Flags)
	c.skip(4)
}

// AppendTo appends the 40 bytes of x to b.
func (x *WriteIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, WriteInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 40 bytes of b, or returns ErrShort.
func (x *WriteIn) Decode(b []byte) error {
	if len(b) < WriteInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// WriteOut is struct fuse_write_out: also the answer to COPY_FILE_RANGE.
type WriteOut struct {
	Size uint32 // bytes taken
}

func (x *WriteOut) layout(c *coder) {
	c.u32(&x.Size)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *WriteOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, WriteOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *WriteOut) Decode(b []byte) error {
	if len(b) < WriteOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// FsyncIn is struct fuse_fsync_in: the request of FSYNC and FSYNCDIR.
type FsyncIn struct {
	Fh         uint64
	FsyncFlags uint32 // FUSE_FSYNC_FDATASYNC
}

func (x *FsyncIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u32(&x.FsyncFlags)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *FsyncIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, FsyncInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *FsyncIn) Decode(b []byte) error {
	if len(b) < FsyncInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// FallocateIn is struct fuse_fallocate_in.
type FallocateIn struct {
	Fh     uint64
	Offset uint64
	Length uint64
	Mode   uint32 // FALLOC_FL_ constants of linux/falloc.h
}

func (x *FallocateIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Offset)
	c.u64(&x.Length)
	c.u32(&x.Mode)
	c.skip(4)
}

// AppendTo appends the 32 bytes of x to b.
func (x *FallocateIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, FallocateInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 32 bytes of b, or returns ErrShort.
func (x *FallocateIn) Decode(b []byte) error {
	if len(b) < FallocateInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// LseekIn is struct fuse_lseek_in.
type LseekIn struct {
	Fh     uint64
	Offset uint64
	Whence uint32 // SEEK_DATA or SEEK_HOLE
}

func (x *LseekIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Offset)
	c.u32(&x.Whence)
	c.skip(4)
}

// AppendTo appends the 24 bytes of x to b.
func (x *LseekIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, LseekInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *LseekIn) Decode(b []byte) error {
	if len(b) < LseekInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// LseekOut is struct fuse_lseek_out.
type LseekOut struct {
	Offset uint64
}

func (x *LseekOut) layout(c *coder) {
	c.u64(&x.Offset)
}

// AppendTo appends the 8 bytes of x to b.
func (x *LseekOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, LseekOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *LseekOut) Decode(b []byte) error {
	if len(b) < LseekOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// CopyFileRangeIn is struct fuse_copy_file_range_in.
type CopyFileRangeIn struct {
	FhIn      uint64
	OffIn     uint64
	NodeidOut uint64
	FhOut     uint64
	OffOut    uint64
	Len       uint64
	Flags     uint64
}

func (x *CopyFileRangeIn) layout(c *coder) {
	c.u64(&x.FhIn)
	c.u64(&x.OffIn)
	c.u64(&x.NodeidOut)
	c.u64(&x.FhOut)
	c.u64(&x.OffOut)
	c.u64(&x.Len)
	c.u64(&x.Flags)
}

// AppendTo appends the 56 bytes of x to b.
func (x *CopyFileRangeIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, CopyFileRangeInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 56 bytes of b, or returns ErrShort.
func (x *CopyFileRangeIn) Decode(b []byte) error {
	if len(b) < CopyFileRangeInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
