// Command client reads a file of the host with FUSE messages that it writes itself.
// The structures are those of linux/fuse.h, in package fuse.
package main

import (
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
	return nil, syscall.ENOSYS
}

// connect begins a session.
//
// TODO 2: INIT, to node 0: a fuse.InitIn with Major fuse.FUSE_KERNEL_VERSION and Minor
// fuse.FUSE_KERNEL_MINOR_VERSION. The reply is a fuse.InitOut; its Major has to be the
// same.
func connect(t fuse.Transport) (fuselab.Client, error) {
	return &client{t: t}, nil
}

// lookup finds a name in a directory.
//
// TODO 3: LOOKUP, to the directory's node: the name and a byte of 0. The reply is a
// fuse.EntryOut. A Nodeid of 0 in it says that the name does not exist.
func (c *client) lookup(dir uint64, name string) (node uint64, err error) {
	return 0, syscall.ENOSYS
}

// chunk is how much is read at once, in bytes.
const chunk = 64 << 10

// read returns the contents of a file.
//
// TODO 4: OPEN the node (fuse.OpenIn; the reply is a fuse.OpenOut, with the handle Fh).
// READ (fuse.ReadIn: Fh, Offset, Size) chunk by chunk; the reply is the bytes; nothing is
// the end of the file. RELEASE the handle (fuse.ReleaseIn), whatever has happened.
func (c *client) read(node uint64) (data []byte, err error) {
	return nil, syscall.ENOSYS
}

// ReadFile implements fuselab.Client.
//
// TODO 5: look up one name of the path after the other, from the root on
// (fuse.FUSE_ROOT_ID), each in the node of the one before; then read.
func (c *client) ReadFile(path string) ([]byte, error) {
	node, err := c.lookup(fuse.FUSE_ROOT_ID, path)
	if err != nil {
		return nil, err
	}
	return c.read(node)
}

func main() { fuselab.Main(connect) }
