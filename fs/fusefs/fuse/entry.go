package fuse

// EntryOut is struct fuse_entry_out: the answer of each operation that finds or makes a name. Each adds one to the lookup count of its node. A nodeid of 0 in the answer to LOOKUP says that the name does not exist.
type EntryOut struct {
	Nodeid         uint64
	Generation     uint64 // (nodeid, generation) is unique for the life of the file system
	EntryValid     uint64 // seconds for which the name may be cached
	AttrValid      uint64 // seconds for which attr may be cached
	EntryValidNsec uint32
	AttrValidNsec  uint32
	Attr           Attr
}

func (x *EntryOut) layout(c *coder) {
	c.u64(&x.Nodeid)
	c.u64(&x.Generation)
	c.u64(&x.EntryValid)
	c.u64(&x.AttrValid)
	c.u32(&x.EntryValidNsec)
	c.u32(&x.AttrValidNsec)
	x.Attr.layout(c)
}

// AppendTo appends the 128 bytes of x to b.
func (x *EntryOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, EntryOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 128 bytes of b, or returns ErrShort.
func (x *EntryOut) Decode(b []byte) error {
	if len(b) < EntryOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// ForgetIn is struct fuse_forget_in.
type ForgetIn struct {
	Nlookup uint64 // how much to take off the lookup count
}

func (x *ForgetIn) layout(c *coder) {
	c.u64(&x.Nlookup)
}

// AppendTo appends the 8 bytes of x to b.
func (x *ForgetIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, ForgetInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *ForgetIn) Decode(b []byte) error {
	if len(b) < ForgetInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// ForgetOne is struct fuse_forget_one.
type ForgetOne struct {
	Nodeid  uint64
	Nlookup uint64
}

func (x *ForgetOne) layout(c *coder) {
	c.u64(&x.Nodeid)
	c.u64(&x.Nlookup)
}

// AppendTo appends the 16 bytes of x to b.
func (x *ForgetOne) AppendTo(b []byte) []byte {
	c, b := encoder(b, ForgetOneSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *ForgetOne) Decode(b []byte) error {
	if len(b) < ForgetOneSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// BatchForgetIn is struct fuse_batch_forget_in.
type BatchForgetIn struct {
	Count uint32 // of ForgetOne that follow
}

func (x *BatchForgetIn) layout(c *coder) {
	c.u32(&x.Count)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *BatchForgetIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, BatchForgetInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *BatchForgetIn) Decode(b []byte) error {
	if len(b) < BatchForgetInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// MknodIn is struct fuse_mknod_in.
type MknodIn struct {
	Mode  uint32
	Rdev  uint32
	Umask uint32 // FUSE_DONT_MASK
}

func (x *MknodIn) layout(c *coder) {
	c.u32(&x.Mode)
	c.u32(&x.Rdev)
	c.u32(&x.Umask)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *MknodIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, MknodInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *MknodIn) Decode(b []byte) error {
	if len(b) < MknodInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// MkdirIn is struct fuse_mkdir_in.
type MkdirIn struct {
	Mode  uint32
	Umask uint32 // FUSE_DONT_MASK
}

func (x *MkdirIn) layout(c *coder) {
	c.u32(&x.Mode)
	c.u32(&x.Umask)
}

// AppendTo appends the 8 bytes of x to b.
func (x *MkdirIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, MkdirInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *MkdirIn) Decode(b []byte) error {
	if len(b) < MkdirInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// RenameIn is struct fuse_rename_in.
type RenameIn struct {
	Newdir uint64 // nodeid
}

func (x *RenameIn) layout(c *coder) {
	c.u64(&x.Newdir)
}

// AppendTo appends the 8 bytes of x to b.
func (x *RenameIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, RenameInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *RenameIn) Decode(b []byte) error {
	if len(b) < RenameInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// Rename2In is struct fuse_rename2_in.
type Rename2In struct {
	Newdir uint64 // nodeid
	Flags  uint32 // RENAME_ constants of linux/fs.h
}

func (x *Rename2In) layout(c *coder) {
	c.u64(&x.Newdir)
	c.u32(&x.Flags)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *Rename2In) AppendTo(b []byte) []byte {
	c, b := encoder(b, Rename2InSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *Rename2In) Decode(b []byte) error {
	if len(b) < Rename2InSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// LinkIn is struct fuse_link_in.
type LinkIn struct {
	Oldnodeid uint64
}

func (x *LinkIn) layout(c *coder) {
	c.u64(&x.Oldnodeid)
}

// AppendTo appends the 8 bytes of x to b.
func (x *LinkIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, LinkInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *LinkIn) Decode(b []byte) error {
	if len(b) < LinkInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// CreateIn is struct fuse_create_in: also the request of TMPFILE.
type CreateIn struct {
	Flags     uint32 // O_ constants
	Mode      uint32
	Umask     uint32 // FUSE_DONT_MASK
	OpenFlags uint32 // FUSE_OPEN_KILL_SUIDGID
}

func (x *CreateIn) layout(c *coder) {
	c.u32(&x.Flags)
	c.u32(&x.Mode)
	c.u32(&x.Umask)
	c.u32(&x.OpenFlags)
}

// AppendTo appends the 16 bytes of x to b.
func (x *CreateIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, CreateInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *CreateIn) Decode(b []byte) error {
	if len(b) < CreateInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// AccessIn is struct fuse_access_in.
type AccessIn struct {
	Mask uint32 // of R_OK, W_OK, X_OK
}

func (x *AccessIn) layout(c *coder) {
	c.u32(&x.Mask)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *AccessIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, AccessInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *AccessIn) Decode(b []byte) error {
	if len(b) < AccessInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
