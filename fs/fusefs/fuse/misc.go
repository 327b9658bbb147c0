package fuse

// SyncfsIn is struct fuse_syncfs_in.
type SyncfsIn struct {
}

func (x *SyncfsIn) layout(c *coder) {
	c.skip(8)
}

// AppendTo appends the 8 bytes of x to b.
func (x *SyncfsIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, SyncfsInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *SyncfsIn) Decode(b []byte) error {
	if len(b) < SyncfsInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// BmapIn is struct fuse_bmap_in.
type BmapIn struct {
	Block     uint64
	Blocksize uint32
}

func (x *BmapIn) layout(c *coder) {
	c.u64(&x.Block)
	c.u32(&x.Blocksize)
	c.skip(4)
}

// AppendTo appends the 16 bytes of x to b.
func (x *BmapIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, BmapInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *BmapIn) Decode(b []byte) error {
	if len(b) < BmapInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// BmapOut is struct fuse_bmap_out.
type BmapOut struct {
	Block uint64
}

func (x *BmapOut) layout(c *coder) {
	c.u64(&x.Block)
}

// AppendTo appends the 8 bytes of x to b.
func (x *BmapOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, BmapOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *BmapOut) Decode(b []byte) error {
	if len(b) < BmapOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// IoctlIn is struct fuse_ioctl_in.
type IoctlIn struct {
	Fh      uint64
	Flags   uint32 // FUSE_IOCTL_ constants
	Cmd     uint32
	Arg     uint64
	InSize  uint32 // bytes
	OutSize uint32 // bytes
}

func (x *IoctlIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u32(&x.Flags)
	c.u32(&x.Cmd)
	c.u64(&x.Arg)
	c.u32(&x.InSize)
	c.u32(&x.OutSize)
}

// AppendTo appends the 32 bytes of x to b.
func (x *IoctlIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, IoctlInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 32 bytes of b, or returns ErrShort.
func (x *IoctlIn) Decode(b []byte) error {
	if len(b) < IoctlInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// IoctlOut is struct fuse_ioctl_out.
type IoctlOut struct {
	Result  int32
	Flags   uint32 // FUSE_IOCTL_RETRY
	InIovs  uint32
	OutIovs uint32
}

func (x *IoctlOut) layout(c *coder) {
	c.i32(&x.Result)
	c.u32(&x.Flags)
	c.u32(&x.InIovs)
	c.u32(&x.OutIovs)
}

// AppendTo appends the 16 bytes of x to b.
func (x *IoctlOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, IoctlOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *IoctlOut) Decode(b []byte) error {
	if len(b) < IoctlOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// PollIn is struct fuse_poll_in.
type PollIn struct {
	Fh     uint64
	Kh     uint64
	Flags  uint32 // FUSE_POLL_SCHEDULE_NOTIFY
	Events uint32
}

func (x *PollIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Kh)
	c.u32(&x.Flags)
	c.u32(&x.Events)
}

// AppendTo appends the 24 bytes of x to b.
func (x *PollIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, PollInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *PollIn) Decode(b []byte) error {
	if len(b) < PollInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// PollOut is struct fuse_poll_out.
type PollOut struct {
	Revents uint32
}

func (x *PollOut) layout(c *coder) {
	c.u32(&x.Revents)
	c.skip(4)
}

// AppendTo appends the 8 bytes of x to b.
func (x *PollOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, PollOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *PollOut) Decode(b []byte) error {
	if len(b) < PollOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// SetupmappingIn is struct fuse_setupmapping_in: a range of the file to map into the shared-memory window.
type SetupmappingIn struct {
	Fh      uint64
	Foffset uint64
	Len     uint64
	Flags   uint64 // FUSE_SETUPMAPPING_FLAG_ constants
	Moffset uint64 // bytes into the window
}

func (x *SetupmappingIn) layout(c *coder) {
	c.u64(&x.Fh)
	c.u64(&x.Foffset)
	c.u64(&x.Len)
	c.u64(&x.Flags)
	c.u64(&x.Moffset)
}

// AppendTo appends the 40 bytes of x to b.
func (x *SetupmappingIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, SetupmappingInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 40 bytes of b, or returns ErrShort.
func (x *SetupmappingIn) Decode(b []byte) error {
	if len(b) < SetupmappingInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// RemovemappingIn is struct fuse_removemapping_in.
type RemovemappingIn struct {
	Count uint32 // of RemovemappingOne that follow
}

func (x *RemovemappingIn) layout(c *coder) {
	c.u32(&x.Count)
}

// AppendTo appends the 4 bytes of x to b.
func (x *RemovemappingIn) AppendTo(b []byte) []byte {
	c, b := encoder(b, RemovemappingInSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 4 bytes of b, or returns ErrShort.
func (x *RemovemappingIn) Decode(b []byte) error {
	if len(b) < RemovemappingInSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// RemovemappingOne is struct fuse_removemapping_one.
type RemovemappingOne struct {
	Moffset uint64
	Len     uint64
}

func (x *RemovemappingOne) layout(c *coder) {
	c.u64(&x.Moffset)
	c.u64(&x.Len)
}

// AppendTo appends the 16 bytes of x to b.
func (x *RemovemappingOne) AppendTo(b []byte) []byte {
	c, b := encoder(b, RemovemappingOneSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *RemovemappingOne) Decode(b []byte) error {
	if len(b) < RemovemappingOneSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
