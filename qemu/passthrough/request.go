package passthrough

import (
	"bytes"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Bounds of one request, in bytes.
const (
	maxWrite   = 1 << 20   // data of READ and WRITE
	maxBody    = 160 << 10 // anything but the data of WRITE: a value of an extended attribute and its name
	maxListing = 128 << 10 // answer to READDIR and READDIRPLUS
)

// request is a request under way.
type request struct {
	header fuse.InHeader
	body   []byte   // what follows the header; of a WRITE the structure only
	data   [][]byte // of a WRITE: what is to be written. Memory of the client, which may change it
	out    [][]byte // room for the reply, its header included. The client's, too
	room   int      // bytes of out behind the header
	detach func()

	reply  []byte // body of the reply
	direct int    // or bytes of the body that are in out already

	store [512]byte // of most bodies
	build [512]byte // of most replies
}

var requests = sync.Pool{New: func() any { return new(request) }}

// operation is what the server does for an opcode.
type operation struct {
	do func(*Server, *request) syscall.Errno
	// in is the size of the structure that the request starts with, out the
	// least room that it needs for the answer, in bytes.
	in, out int
}

var operations [fuse.OpcodeCount]operation

func init() {
	operations = [fuse.OpcodeCount]operation{
		fuse.FUSE_INIT:         {(*Server).init, 16, fuse.InitOutSize},
		fuse.FUSE_DESTROY:      {(*Server).destroy, 0, 0},
		fuse.FUSE_INTERRUPT:    {(*Server).interrupt, fuse.InterruptInSize, 0},
		fuse.FUSE_FORGET:       {(*Server).forget, fuse.ForgetInSize, 0},
		fuse.FUSE_BATCH_FORGET: {(*Server).batchForget, fuse.BatchForgetInSize, 0},

		fuse.FUSE_LOOKUP:   {(*Server).lookup, 0, fuse.EntryOutSize},
		fuse.FUSE_MKNOD:    {(*Server).mknod, fuse.MknodInSize, fuse.EntryOutSize},
		fuse.FUSE_MKDIR:    {(*Server).mkdir, fuse.MkdirInSize, fuse.EntryOutSize},
		fuse.FUSE_SYMLINK:  {(*Server).symlink, 0, fuse.EntryOutSize},
		fuse.FUSE_LINK:     {(*Server).link, fuse.LinkInSize, fuse.EntryOutSize},
		fuse.FUSE_READLINK: {(*Server).readlink, 0, 0},
		fuse.FUSE_UNLINK:   {(*Server).unlink, 0, 0},
		fuse.FUSE_RMDIR:    {(*Server).rmdir, 0, 0},
		fuse.FUSE_RENAME:   {(*Server).rename, fuse.RenameInSize, 0},
		fuse.FUSE_RENAME2:  {(*Server).rename2, fuse.Rename2InSize, 0},

		fuse.FUSE_GETATTR: {(*Server).getattr, fuse.GetattrInSize, fuse.AttrOutSize},
		fuse.FUSE_SETATTR: {(*Server).setattr, fuse.SetattrInSize, fuse.AttrOutSize},
		fuse.FUSE_STATX:   {(*Server).statx, fuse.StatxInSize, fuse.StatxOutSize},
		fuse.FUSE_STATFS:  {(*Server).statfs, 0, fuse.StatfsOutSize},
		fuse.FUSE_ACCESS:  {(*Server).access, fuse.AccessInSize, 0},
		fuse.FUSE_SYNCFS:  {(*Server).syncfs, 0, 0},

		fuse.FUSE_SETXATTR:    {(*Server).setxattr, fuse.FUSE_COMPAT_SETXATTR_IN_SIZE, 0},
		fuse.FUSE_GETXATTR:    {(*Server).getxattr, fuse.GetxattrInSize, 0},
		fuse.FUSE_LISTXATTR:   {(*Server).listxattr, fuse.GetxattrInSize, 0},
		fuse.FUSE_REMOVEXATTR: {(*Server).removexattr, 0, 0},

		fuse.FUSE_OPEN:            {(*Server).open, fuse.OpenInSize, fuse.OpenOutSize},
		fuse.FUSE_CREATE:          {(*Server).create, fuse.CreateInSize, fuse.EntryOutSize + fuse.OpenOutSize},
		fuse.FUSE_TMPFILE:         {(*Server).tmpfile, fuse.CreateInSize, fuse.EntryOutSize + fuse.OpenOutSize},
		fuse.FUSE_RELEASE:         {(*Server).release, fuse.ReleaseInSize, 0},
		fuse.FUSE_FLUSH:           {(*Server).flush, fuse.FlushInSize, 0},
		fuse.FUSE_READ:            {(*Server).read, fuse.ReadInSize, 0},
		fuse.FUSE_WRITE:           {(*Server).write, fuse.WriteInSize, fuse.WriteOutSize},
		fuse.FUSE_FSYNC:           {(*Server).fsync, fuse.FsyncInSize, 0},
		fuse.FUSE_FALLOCATE:       {(*Server).fallocate, fuse.FallocateInSize, 0},
		fuse.FUSE_LSEEK:           {(*Server).lseek, fuse.LseekInSize, fuse.LseekOutSize},
		fuse.FUSE_COPY_FILE_RANGE: {(*Server).copyFileRange, fuse.CopyFileRangeInSize, fuse.WriteOutSize},

		fuse.FUSE_OPENDIR:     {(*Server).opendir, fuse.OpenInSize, fuse.OpenOutSize},
		fuse.FUSE_READDIR:     {(*Server).readdir, fuse.ReadInSize, 0},
		fuse.FUSE_READDIRPLUS: {(*Server).readdirplus, fuse.ReadInSize, 0},
		fuse.FUSE_RELEASEDIR:  {(*Server).releasedir, fuse.ReleaseInSize, 0},
		fuse.FUSE_FSYNCDIR:    {(*Server).fsyncdir, fuse.FsyncInSize, 0},

		fuse.FUSE_GETLK:  {(*Server).getlk, fuse.LkInSize, fuse.LkOutSize},
		fuse.FUSE_SETLK:  {(*Server).setlk, fuse.LkInSize, 0},
		fuse.FUSE_SETLKW: {(*Server).setlkw, fuse.LkInSize, 0},
	}
}

// Handle does the request that the parts of in form together, writes the reply
// into the parts of out and returns its length; 0 is no reply. Both may be
// memory that the client changes meanwhile. It calls detach before it does
// what may take long.
func (s *Server) Handle(in, out [][]byte, detach func()) int {
	r := requests.Get().(*request)
	defer func() {
		r.out, r.data, r.body, r.reply, r.detach = nil, nil, nil, nil, nil
		requests.Put(r)
	}()
	r.out, r.room, r.detach = out, size(out)-fuse.OutHeaderSize, detach
	r.reply, r.direct, r.data = r.build[:0], 0, nil
	e := r.parse(in)
	if e == 0 {
		e = s.do(r)
	}
	switch op := r.header.Opcode; {
	case op == fuse.FUSE_FORGET, op == fuse.FUSE_BATCH_FORGET, r.room < 0:
		return 0
	}
	return r.answer(e)
}

// parse takes the request apart.
func (r *request) parse(in [][]byte) syscall.Errno {
	r.header = fuse.InHeader{}
	total := size(in)
	if total < fuse.InHeaderSize {
		return syscall.EINVAL
	}
	head := r.store[:fuse.InHeaderSize]
	gather(head, in, 0)
	_ = r.header.Decode(head) // long enough
	end := int(r.header.Len) - 8*int(r.header.TotalExtlen)
	if int64(r.header.Len) > int64(total) || end < fuse.InHeaderSize {
		return syscall.EINVAL
	}
	n := end - fuse.InHeaderSize
	if r.header.Opcode == fuse.FUSE_WRITE && n > fuse.WriteInSize {
		r.data = slice(nil, in, fuse.InHeaderSize+fuse.WriteInSize, n-fuse.WriteInSize)
		n = fuse.WriteInSize
	}
	if n > maxBody {
		return syscall.E2BIG
	}
	r.body = r.store[:]
	if n > len(r.store) {
		r.body = make([]byte, n)
	}
	r.body = r.body[:n]
	gather(r.body, in, fuse.InHeaderSize)
	return 0
}

// do does the request.
func (s *Server) do(r *request) syscall.Errno {
	if r.header.Opcode >= fuse.OpcodeCount || operations[r.header.Opcode].do == nil {
		return syscall.ENOSYS
	}
	op := &operations[r.header.Opcode]
	if len(r.body) < op.in || max(r.room, 0) < op.out {
		return syscall.EINVAL
	}
	if r.header.Opcode != fuse.FUSE_INIT && !s.ready.Load() {
		return syscall.EIO
	}
	return op.do(s, r)
}

// answer writes the reply.
func (r *request) answer(e syscall.Errno) int {
	body := len(r.reply) + r.direct
	if body > r.room {
		e = syscall.ERANGE
	}
	if e != 0 {
		r.reply, body = nil, 0
	}
	h := fuse.OutHeader{Len: uint32(fuse.OutHeaderSize + body), Error: -int32(e), Unique: r.header.Unique}
	var head [fuse.OutHeaderSize]byte
	scatter(r.out, 0, h.AppendTo(head[:0]))
	scatter(r.out, fuse.OutHeaderSize, r.reply)
	return int(h.Len)
}

// names takes n names off the end of the body, behind its structure of skip
// bytes. Each is ended by a NUL byte, and nothing follows the last.
func (r *request) names(skip, n int) (names [2]string, e syscall.Errno) {
	b := r.body[skip:]
	for i := range n {
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			return names, syscall.EINVAL
		}
		names[i] = string(b[:end])
		b = b[end+1:]
	}
	if len(b) > 0 {
		return names, syscall.EINVAL
	}
	return names, 0
}

func size(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// slice appends to list the n bytes of parts from off on, or what there is.
func slice(list, parts [][]byte, off, n int) [][]byte {
	for _, p := range parts {
		if off >= len(p) {
			off -= len(p)
			continue
		}
		p = p[off:]
		off = 0
		if len(p) >= n {
			return append(list, p[:n:n])
		}
		list = append(list, p)
		n -= len(p)
	}
	return list
}

// gather copies the bytes of parts from off on to b.
func gather(b []byte, parts [][]byte, off int) {
	for _, p := range parts {
		if off >= len(p) {
			off -= len(p)
			continue
		}
		b = b[copy(b, p[off:]):]
		off = 0
		if len(b) == 0 {
			return
		}
	}
}

// scatter copies b into parts from off on.
func scatter(parts [][]byte, off int, b []byte) {
	for _, p := range parts {
		if len(b) == 0 {
			return
		}
		if off >= len(p) {
			off -= len(p)
			continue
		}
		b = b[copy(p[off:], b):]
		off = 0
	}
}
