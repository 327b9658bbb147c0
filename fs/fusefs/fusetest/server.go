// Package fusetest has the other side of FUSE for tests without a daemon: a
// server of any fs.FileSystem, and a transport on which a seed decides when the
// server handles a request and when its reply arrives.
package fusetest

import (
	"bytes"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Server answers FUSE messages from a file system, each at one moment.
type Server struct {
	// Flags are the INIT flags that are granted.
	Flags uint64
	// Valid returns how long the next name, or attributes, may be believed.
	Valid func() time.Duration
	// OpenFlags returns the FOPEN flags of the next open.
	OpenFlags func() uint32

	fs   fs.FileSystem
	mu   sync.Mutex
	ids  map[fs.Node]uint64
	node map[uint64]*inode
	open map[uint64]fs.File
	last uint64 // id of a node or handle
}

type inode struct {
	fs.Node
	lookups uint64
}

// NewServer serves f. What it tells may be believed for ever.
func NewServer(f fs.FileSystem, flags uint64) *Server {
	root := f.Root()
	return &Server{
		Flags:     flags,
		Valid:     func() time.Duration { return time.Hour },
		OpenFlags: func() uint32 { return 0 },
		fs:        f,
		ids:       map[fs.Node]uint64{root: fuse.FUSE_ROOT_ID},
		node:      map[uint64]*inode{fuse.FUSE_ROOT_ID: {Node: root, lookups: 1}},
		open:      map[uint64]fs.File{},
		last:      fuse.FUSE_ROOT_ID,
	}
}

// Handle handles one message and returns its reply, nil for one without.
func (s *Server) Handle(msg []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var h fuse.InHeader
	if h.Decode(msg) != nil {
		return nil
	}
	c := &call{InHeader: h, args: msg[fuse.InHeaderSize:]}
	err := error(syscall.ENOSYS)
	if n := s.node[h.Nodeid]; n != nil || h.Nodeid == 0 {
		if f := operations[h.Opcode]; f != nil {
			err = f(s, n, c)
		}
	} else {
		err = syscall.ESTALE
	}
	if h.Opcode == fuse.FUSE_FORGET || h.Opcode == fuse.FUSE_BATCH_FORGET {
		return nil
	}
	out := fuse.OutHeader{Unique: h.Unique}
	if err != nil {
		e, _ := err.(syscall.Errno)
		if e == 0 {
			e = syscall.EIO
		}
		c.body, out.Error = nil, -int32(e)
	}
	out.Len = uint32(fuse.OutHeaderSize + len(c.body))
	return append(out.AppendTo(nil), c.body...)
}

// call is a message that is being handled.
type call struct {
	fuse.InHeader
	args []byte
	body []byte // of the reply
}

// names are the names behind size bytes of arguments.
func (c *call) names(size int) (a, b string) {
	parts := bytes.SplitN(c.args[size:], []byte{0}, 3)
	if len(parts) > 1 {
		b = string(parts[1])
	}
	return string(parts[0]), b
}

func seconds(d time.Duration) (sec uint64, nsec uint32) {
	return uint64(d / time.Second), uint32(d % time.Second)
}

// entry counts a node and makes the answer that tells of it.
func (s *Server) entry(e fs.Entry, err error) (*fuse.EntryOut, error) {
	if err != nil {
		return nil, err
	}
	out := &fuse.EntryOut{Generation: 1}
	out.EntryValid, out.EntryValidNsec = seconds(s.Valid())
	if e.Node == nil {
		return out, nil
	}
	id, ok := s.ids[e.Node]
	if ok {
		e.Node.Unref() // the table has one
	} else {
		s.last++
		id = s.last
		s.ids[e.Node], s.node[id] = id, &inode{Node: e.Node}
	}
	s.node[id].lookups++
	out.Nodeid = id
	out.AttrValid, out.AttrValidNsec = seconds(s.Valid())
	return out, attr(e.Node, &out.Attr)
}

func attr(from interface{ Getattr(*fs.Attr) error }, to *fuse.Attr) error {
	var a fs.Attr
	if err := from.Getattr(&a); err != nil {
		return err
	}
	*to = fuse.Attr{
		Ino: a.Ino, Size: uint64(a.Size), Blocks: uint64(a.Blocks), Mode: a.Mode, Nlink: a.Nlink,
		Uid: a.Uid, Gid: a.Gid, Rdev: uint32(a.Rdev), Blksize: a.Blksize,
		Atime: uint64(a.Atime.Sec), Mtime: uint64(a.Mtime.Sec), Ctime: uint64(a.Ctime.Sec),
		Atimensec: a.Atime.Nsec, Mtimensec: a.Mtime.Nsec, Ctimensec: a.Ctime.Nsec,
	}
	return nil
}

// forget gives lookups of a node back.
func (s *Server) forget(id, lookups uint64) {
	n := s.node[id]
	if n == nil || id == fuse.FUSE_ROOT_ID {
		return
	}
	if n.lookups -= min(lookups, n.lookups); n.lookups == 0 {
		delete(s.node, id)
		delete(s.ids, n.Node)
		n.Unref()
	}
}

func (s *Server) opened(f fs.File) *fuse.OpenOut {
	s.last++
	s.open[s.last] = f
	return &fuse.OpenOut{Fh: s.last, OpenFlags: s.OpenFlags()}
}

// Direct is a fuse.Transport to a server that answers at once.
type Direct struct{ *Server }

// Name implements fuse.Transport, as RoundTrip and Send do.
func (d Direct) Name() string { return "direct" }

func (d Direct) RoundTrip(in, out [][]byte) (int, error) {
	reply := d.Handle(bytes.Join(in, nil))
	n := len(reply)
	for _, p := range out {
		reply = reply[copy(p, reply):]
	}
	return n, nil
}

func (d Direct) Send(in [][]byte) error {
	d.Handle(bytes.Join(in, nil))
	return nil
}
