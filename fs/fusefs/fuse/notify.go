package fuse

// NotifyPollWakeupOut is struct fuse_notify_poll_wakeup_out.
type NotifyPollWakeupOut struct {
	Kh uint64
}

func (x *NotifyPollWakeupOut) layout(c *coder) {
	c.u64(&x.Kh)
}

// AppendTo appends the 8 bytes of x to b.
func (x *NotifyPollWakeupOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyPollWakeupOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 8 bytes of b, or returns ErrShort.
func (x *NotifyPollWakeupOut) Decode(b []byte) error {
	if len(b) < NotifyPollWakeupOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// NotifyInvalInodeOut is struct fuse_notify_inval_inode_out.
type NotifyInvalInodeOut struct {
	Ino uint64
	Off int64
	Len int64
}

func (x *NotifyInvalInodeOut) layout(c *coder) {
	c.u64(&x.Ino)
	c.i64(&x.Off)
	c.i64(&x.Len)
}

// AppendTo appends the 24 bytes of x to b.
func (x *NotifyInvalInodeOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyInvalInodeOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *NotifyInvalInodeOut) Decode(b []byte) error {
	if len(b) < NotifyInvalInodeOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// NotifyInvalEntryOut is struct fuse_notify_inval_entry_out.
type NotifyInvalEntryOut struct {
	Parent  uint64
	Namelen uint32
	Flags   uint32 // FUSE_EXPIRE_ONLY
}

func (x *NotifyInvalEntryOut) layout(c *coder) {
	c.u64(&x.Parent)
	c.u32(&x.Namelen)
	c.u32(&x.Flags)
}

// AppendTo appends the 16 bytes of x to b.
func (x *NotifyInvalEntryOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyInvalEntryOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 16 bytes of b, or returns ErrShort.
func (x *NotifyInvalEntryOut) Decode(b []byte) error {
	if len(b) < NotifyInvalEntryOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// NotifyDeleteOut is struct fuse_notify_delete_out.
type NotifyDeleteOut struct {
	Parent  uint64
	Child   uint64
	Namelen uint32
}

func (x *NotifyDeleteOut) layout(c *coder) {
	c.u64(&x.Parent)
	c.u64(&x.Child)
	c.u32(&x.Namelen)
	c.skip(4)
}

// AppendTo appends the 24 bytes of x to b.
func (x *NotifyDeleteOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyDeleteOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *NotifyDeleteOut) Decode(b []byte) error {
	if len(b) < NotifyDeleteOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// NotifyStoreOut is struct fuse_notify_store_out.
type NotifyStoreOut struct {
	Nodeid uint64
	Offset uint64
	Size   uint32
}

func (x *NotifyStoreOut) layout(c *coder) {
	c.u64(&x.Nodeid)
	c.u64(&x.Offset)
	c.u32(&x.Size)
	c.skip(4)
}

// AppendTo appends the 24 bytes of x to b.
func (x *NotifyStoreOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyStoreOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *NotifyStoreOut) Decode(b []byte) error {
	if len(b) < NotifyStoreOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}

// NotifyRetrieveOut is struct fuse_notify_retrieve_out.
type NotifyRetrieveOut struct {
	NotifyUnique uint64
	Nodeid       uint64
	Offset       uint64
	Size         uint32
}

func (x *NotifyRetrieveOut) layout(c *coder) {
	c.u64(&x.NotifyUnique)
	c.u64(&x.Nodeid)
	c.u64(&x.Offset)
	c.u32(&x.Size)
	c.skip(4)
}

// AppendTo appends the 32 bytes of x to b.
func (x *NotifyRetrieveOut) AppendTo(b []byte) []byte {
	c, b := encoder(b, NotifyRetrieveOutSize)
	x.layout(&c)
	return b
}

// Decode fills x from the first 32 bytes of b, or returns ErrShort.
func (x *NotifyRetrieveOut) Decode(b []byte) error {
	if len(b) < NotifyRetrieveOutSize {
		return ErrShort
	}
	c := coder{b: b}
	x.layout(&c)
	return nil
}
