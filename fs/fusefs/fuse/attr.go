package fuse

// Attr is struct fuse_attr: the attributes of a file.
type Attr struct {
	Ino       uint64
	Size      uint64 // bytes
	Blocks    uint64 // of 512 bytes
	Atime     uint64 // seconds since 1970, signed
	Mtime     uint64 // seconds since 1970, signed
	Ctime     uint64 // seconds since 1970, signed
	Atimensec uint32
	Mtimensec uint32
	Ctimensec uint32
	Mode      uint32
	Nlink     uint32
	Uid       uint32
	Gid       uint32
	Rdev      uint32
	Blksize   uint32 // bytes
	Flags     uint32 // FUSE_ATTR_SUBMOUNT, FUSE_ATTR_DAX
}

func (x *Attr) layout(c *coder) {
	c.u64(&x.Ino)
	c.u64(&x.Size)
	c.u64(&x.Blocks)
	c.u64(&x.Atime)
	c.u64(&x.Mtime)
	c.u64(&x.Ctime)
	c.u32(&x.Atimensec)
	c.u32(&x.Mtimensec)
	c.u32(&x.Ctimensec)
	c.u32(&x.Mode)
	c.u32(&x.Nlink)
	c.u32(&x.Uid)
	c.u32(&x.Gid)
	c.u32(&x.Rdev)
	c.u32(&x.Blksize)
	c.u32(&x.Flags)
}

// AppendTo appends the 88 bytes of x to b.
func (x *Attr) AppendTo(b []byte) []byte {
	c, b := encoder(b, AttrSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 88 bytes of b, or returns ErrShort.
func (x *Attr) Decode(b []byte) error {
	if len(b) < AttrSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// GetattrIn is struct fuse_getattr_in.
type GetattrIn struct {
	GetattrFlags uint32 // FUSE_GETATTR_FH
	Fh           uint64
}

func (x *GetattrIn) layout(c *coder) {
	c.u32(&x.GetattrFlags)
	c.skip(4)
	c.u64(&x.Fh)
}

// AppendTo appends the 16 bytes of x to b.
func (x *GetattrIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, GetattrInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *GetattrIn) Decode(b []byte) error {
	if len(b) < GetattrInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// AttrOut is struct fuse_attr_out: the answer to GETATTR and SETATTR.
type AttrOut struct {
	AttrValid     uint64 // seconds for which attr may be cached
	AttrValidNsec uint32
	Attr          Attr
}

func (x *AttrOut) layout(c *coder) {
	c.u64(&x.AttrValid)
	c.u32(&x.AttrValidNsec)
	c.skip(4)
	x.Attr.layout(c)
}

// AppendTo appends the 104 bytes of x to b.
func (x *AttrOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, AttrOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 104 bytes of b, or returns ErrShort.
func (x *AttrOut) Decode(b []byte) error {
	if len(b) < AttrOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// SetattrIn is struct fuse_setattr_in.
type SetattrIn struct {
	Valid     uint32 // FATTR_ constants
	Fh        uint64
	Size      uint64
	LockOwner uint64
	Atime     uint64
	Mtime     uint64
	Ctime     uint64
	Atimensec uint32
	Mtimensec uint32
	Ctimensec uint32
	Mode      uint32
	Uid       uint32
	Gid       uint32
}

func (x *SetattrIn) layout(c *coder) {
	c.u32(&x.Valid)
	c.skip(4)
	c.u64(&x.Fh)
	c.u64(&x.Size)
	c.u64(&x.LockOwner)
	c.u64(&x.Atime)
	c.u64(&x.Mtime)
	c.u64(&x.Ctime)
	c.u32(&x.Atimensec)
	c.u32(&x.Mtimensec)
	c.u32(&x.Ctimensec)
	c.u32(&x.Mode)
	c.skip(4)
	c.u32(&x.Uid)
	c.u32(&x.Gid)
	c.skip(4)
}

// AppendTo appends the 88 bytes of x to b.
func (x *SetattrIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, SetattrInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 88 bytes of b, or returns ErrShort.
func (x *SetattrIn) Decode(b []byte) error {
	if len(b) < SetattrInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// SxTime is struct fuse_sx_time: a time of Statx.
type SxTime struct {
	TvSec  int64
	TvNsec uint32
}

func (x *SxTime) layout(c *coder) {
	c.i64(&x.TvSec)
	c.u32(&x.TvNsec)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *SxTime) AppendTo(b []byte) []byte {
	c, b := encoder(b, SxTimeSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *SxTime) Decode(b []byte) error {
	if len(b) < SxTimeSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// Statx is struct fuse_statx: the attributes that statx(2) tells (7.39).
type Statx struct {
	Mask           uint32 // STATX_ constants of linux/stat.h
	Blksize        uint32
	Attributes     uint64
	Nlink          uint32
	Uid            uint32
	Gid            uint32
	Mode           uint16
	Ino            uint64
	Size           uint64
	Blocks         uint64
	AttributesMask uint64
	Atime          SxTime
	Btime          SxTime
	Ctime          SxTime
	Mtime          SxTime
	RdevMajor      uint32
	RdevMinor      uint32
	DevMajor       uint32
	DevMinor       uint32
}

func (x *Statx) layout(c *coder) {
	c.u32(&x.Mask)
	c.u32(&x.Blksize)
	c.u64(&x.Attributes)
	c.u32(&x.Nlink)
	c.u32(&x.Uid)
	c.u32(&x.Gid)
	c.u16(&x.Mode)
	c.skip(2)
	c.u64(&x.Ino)
	c.u64(&x.Size)
	c.u64(&x.Blocks)
	c.u64(&x.AttributesMask)
	x.Atime.layout(c)
	x.Btime.layout(c)
	x.Ctime.layout(c)
	x.Mtime.layout(c)
	c.u32(&x.RdevMajor)
	c.u32(&x.RdevMinor)
	c.u32(&x.DevMajor)
	c.u32(&x.DevMinor)
	c.skip(112)
}

// AppendTo appends the 256 bytes of x to b.
func (x *Statx) AppendTo(b []byte) []byte {
	c, b := encoder(b, StatxSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 256 bytes of b, or returns ErrShort.
func (x *Statx) Decode(b []byte) error {
	if len(b) < StatxSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// StatxIn is struct fuse_statx_in.
type StatxIn struct {
	GetattrFlags uint32 // FUSE_GETATTR_FH
	Fh           uint64
	SxFlags      uint32 // AT_STATX_ constants
	SxMask       uint32
}

func (x *StatxIn) layout(c *coder) {
	c.u32(&x.GetattrFlags)
	c.skip(4)
	c.u64(&x.Fh)
	c.u32(&x.SxFlags)
	c.u32(&x.SxMask)
}

// AppendTo appends the 24 bytes of x to b.
func (x *StatxIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, StatxInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *StatxIn) Decode(b []byte) error {
	if len(b) < StatxInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// StatxOut is struct fuse_statx_out.
type StatxOut struct {
	AttrValid     uint64
	AttrValidNsec uint32
	Flags         uint32
	Stat          Statx
}

func (x *StatxOut) layout(c *coder) {
	c.u64(&x.AttrValid)
	c.u32(&x.AttrValidNsec)
	c.u32(&x.Flags)
	c.skip(16)
	x.Stat.layout(c)
}

// AppendTo appends the 288 bytes of x to b.
func (x *StatxOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, StatxOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 288 bytes of b, or returns ErrShort.
func (x *StatxOut) Decode(b []byte) error {
	if len(b) < StatxOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// Kstatfs is struct fuse_kstatfs.
type Kstatfs struct {
	Blocks  uint64 // in units of frsize
	Bfree   uint64 // in units of frsize
	Bavail  uint64 // in units of frsize
	Files   uint64
	Ffree   uint64
	Bsize   uint32 // bytes
	Namelen uint32 // bytes
	Frsize  uint32 // bytes
}

func (x *Kstatfs) layout(c *coder) {
	c.u64(&x.Blocks)
	c.u64(&x.Bfree)
	c.u64(&x.Bavail)
	c.u64(&x.Files)
	c.u64(&x.Ffree)
	c.u32(&x.Bsize)
	c.u32(&x.Namelen)
	c.u32(&x.Frsize)
	c.skip(4)
	c.skip(24)
}

// AppendTo appends the 80 bytes of x to b.
func (x *Kstatfs) AppendTo(b []byte) []byte {
	c, b := encoder(b, KstatfsSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 80 bytes of b, or returns ErrShort.
func (x *Kstatfs) Decode(b []byte) error {
	if len(b) < KstatfsSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// StatfsOut is struct fuse_statfs_out.
type StatfsOut struct {
	St Kstatfs
}

func (x *StatfsOut) layout(c *coder) {
	x.St.layout(c)
}

// AppendTo appends the 80 bytes of x to b.
func (x *StatfsOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, StatfsOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 80 bytes of b, or returns ErrShort.
func (x *StatfsOut) Decode(b []byte) error {
	if len(b) < StatfsOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
