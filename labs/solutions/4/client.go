// Command client reads a file of the host with FUSE messages that it writes itself.
// The structures are those of linux/fuse.h, in package fuse.
package main

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/labs/internal/fuselab"
)

// client is the driver's side of a session.
type client struct {
	t      fuse.Transport
	unique uint64 // of the last request
}

// call sends a request, whose arguments are in args, and returns what follows the
// header in the reply, at most room bytes.
//
// TODO 1: the header (fuse.InHeader): Len, of all; Opcode; Unique, another one each
// time; Nodeid. Its AppendTo and args are the message. The reply is written into a
// buffer of fuse.OutHeaderSize+room bytes (RoundTrip tells how much of it). Check: there is
// a whole fuse.OutHeader; its Len is the number of bytes that came; its Unique is yours.
// If its Error is not 0, syscall.Errno(-Error) is the error.
func (c *client) call(op uint32, node uint64, args []byte, room int) ([]byte, error) {
	c.unique++
	h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + len(args)), Opcode: op, Unique: c.unique, Nodeid: node}
	reply := make([]byte, fuse.OutHeaderSize+room)
	n, err := c.t.RoundTrip([][]byte{h.AppendTo(nil), args}, [][]byte{reply})
	if err != nil {
		return nil, err
	}
	var out fuse.OutHeader
	if err := out.Decode(reply[:n]); err != nil {
		return nil, err
	}
	if int(out.Len) != n || out.Unique != c.unique {
		return nil, fmt.Errorf("%s: a reply of %d bytes to request %d, not of %d to %d", fuse.OpName(op), out.Len, out.Unique, n, c.unique)
	}
	if out.Error != 0 {
		return nil, syscall.Errno(-out.Error)
	}
	return reply[fuse.OutHeaderSize:n], nil
}

// connect begins a session.
//
// TODO 2: INIT, to node 0: a fuse.InitIn with Major fuse.FUSE_KERNEL_VERSION and Minor
// fuse.FUSE_KERNEL_MINOR_VERSION. The reply is a fuse.InitOut; its Major has to be the
// same.
func connect(t fuse.Transport) (fuselab.Client, error) {
	c := &client{t: t}
	in := fuse.InitIn{Major: fuse.FUSE_KERNEL_VERSION, Minor: fuse.FUSE_KERNEL_MINOR_VERSION}
	reply, err := c.call(fuse.FUSE_INIT, 0, in.AppendTo(nil), fuse.InitOutSize)
	if err != nil {
		return nil, err
	}
	var out fuse.InitOut
	if err := out.Decode(reply); err != nil {
		return nil, err
	}
	if out.Major != fuse.FUSE_KERNEL_VERSION {
		return nil, fmt.Errorf("the server speaks FUSE %d.%d", out.Major, out.Minor)
	}
	return c, nil
}

// lookup finds a name in a directory.
//
// TODO 3: LOOKUP, to the directory's node: the name and a byte of 0. The reply is a
// fuse.EntryOut. A Nodeid of 0 in it says that the name does not exist.
func (c *client) lookup(dir uint64, name string) (node uint64, err error) {
	reply, err := c.call(fuse.FUSE_LOOKUP, dir, append([]byte(name), 0), fuse.EntryOutSize)
	if err != nil {
		return 0, err
	}
	var e fuse.EntryOut
	if err := e.Decode(reply); err != nil {
		return 0, err
	}
	if e.Nodeid == 0 {
		return 0, syscall.ENOENT
	}
	return e.Nodeid, nil
}

// chunk is how much is read at once, in bytes.
const chunk = 64 << 10

// read returns the contents of a file.
//
// TODO 4: OPEN the node (fuse.OpenIn; the reply is a fuse.OpenOut, with the handle Fh).
// READ (fuse.ReadIn: Fh, Offset, Size) chunk by chunk; the reply is the bytes; nothing is
// the end of the file. RELEASE the handle (fuse.ReleaseIn), whatever has happened.
func (c *client) read(node uint64) (data []byte, err error) {
	reply, err := c.call(fuse.FUSE_OPEN, node, (&fuse.OpenIn{}).AppendTo(nil), fuse.OpenOutSize)
	if err != nil {
		return nil, err
	}
	var open fuse.OpenOut
	if err := open.Decode(reply); err != nil {
		return nil, err
	}
	defer func() {
		in := fuse.ReleaseIn{Fh: open.Fh}
		c.call(fuse.FUSE_RELEASE, node, in.AppendTo(nil), 0)
	}()
	for {
		in := fuse.ReadIn{Fh: open.Fh, Offset: uint64(len(data)), Size: chunk}
		part, err := c.call(fuse.FUSE_READ, node, in.AppendTo(nil), chunk)
		if err != nil {
			return nil, err
		}
		if len(part) == 0 {
			return data, nil
		}
		data = append(data, part...)
	}
}

// ReadFile implements fuselab.Client.
//
// TODO 5: look up one name of the path after the other, from the root on
// (fuse.FUSE_ROOT_ID), each in the node of the one before; then read.
func (c *client) ReadFile(path string) ([]byte, error) {
	node := uint64(fuse.FUSE_ROOT_ID)
	for _, name := range strings.Split(path, "/") {
		var err error
		if node, err = c.lookup(node, name); err != nil {
			return nil, err
		}
	}
	return c.read(node)
}

func main() { fuselab.Main(connect) }
