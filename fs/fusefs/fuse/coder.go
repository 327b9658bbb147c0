package fuse

import (
	"encoding/binary"
	"errors"
)

// ErrShort says that a message ends before the structure that it should hold.
var ErrShort = errors.New("fuse: message shorter than its structure")

// coder walks over the bytes of one structure, reading or writing its fields
// in order. Both directions share one field list, so that they cannot differ.
// FUSE is in the byte order of the machine, virtio-fs little-endian (virtio
// 1.2 §5.11.6.2): on amd64 the same. The caller has checked the length.
type coder struct {
	b     []byte
	write bool
}

// encoder makes room for size zeroed bytes behind b and returns a coder that
// writes them, and the longer b.
func encoder(b []byte, size int) (coder, []byte) {
	n := len(b)
	if n+size <= cap(b) {
		b = b[:n+size]
		clear(b[n:])
	} else {
		b = append(b, make([]byte, size)...)
	}
	return coder{b: b[n:], write: true}, b
}

func (c *coder) u16(p *uint16) {
	if c.write {
		binary.LittleEndian.PutUint16(c.b, *p)
	} else {
		*p = binary.LittleEndian.Uint16(c.b)
	}
	c.b = c.b[2:]
}

func (c *coder) u32(p *uint32) {
	if c.write {
		binary.LittleEndian.PutUint32(c.b, *p)
	} else {
		*p = binary.LittleEndian.Uint32(c.b)
	}
	c.b = c.b[4:]
}

func (c *coder) u64(p *uint64) {
	if c.write {
		binary.LittleEndian.PutUint64(c.b, *p)
	} else {
		*p = binary.LittleEndian.Uint64(c.b)
	}
	c.b = c.b[8:]
}

func (c *coder) i32(p *int32) {
	u := uint32(*p)
	c.u32(&u)
	*p = int32(u)
}

func (c *coder) i64(p *int64) {
	u := uint64(*p)
	c.u64(&u)
	*p = int64(u)
}

// skip passes over n bytes that carry nothing; encoder has zeroed them.
func (c *coder) skip(n int) { c.b = c.b[n:] }
