package fuse

import (
	"encoding/binary"
	"errors"
)

// Dirent is struct fuse_dirent: the fixed part of a directory entry; namelen bytes of name follow, then zeros up to a multiple of 8 bytes.
type Dirent struct {
	Ino     uint64
	Off     uint64 // the cookie of the next entry
	Namelen uint32
	Type    uint32 // DT_ constants
}

// AppendTo appends the 24 bytes of x to b. Directories have many entries, so
// this and Decode do without the coder.
func (x *Dirent) AppendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, x.Ino)
	b = binary.LittleEndian.AppendUint64(b, x.Off)
	b = binary.LittleEndian.AppendUint32(b, x.Namelen)
	return binary.LittleEndian.AppendUint32(b, x.Type)
}

// Decode fills x from the first 24 bytes of b, or returns ErrShort.
func (x *Dirent) Decode(b []byte) error {
	if len(b) < DirentSize {
		return ErrShort
	}
	b = b[:DirentSize]
	x.Ino = binary.LittleEndian.Uint64(b)
	x.Off = binary.LittleEndian.Uint64(b[8:])
	x.Namelen = binary.LittleEndian.Uint32(b[16:])
	x.Type = binary.LittleEndian.Uint32(b[20:])
	return nil
}

// NameMax is the longest name of a directory entry, in bytes.
const NameMax = 255

// Errors of the dirent parsers.
var (
	// ErrDirentLength: the entry, its name or its padding runs past the reply.
	ErrDirentLength = errors.New("namelen runs past the end of the reply")
	// ErrDirentName: the name is empty, too long, or holds a slash or NUL.
	ErrDirentName = errors.New("name is empty, longer than 255 bytes, or holds '/' or NUL")
)

// ParseDirent reads the entry at the start of b, a part of the reply to
// READDIR. It returns its fixed part, its name, which lies in b, and how many
// bytes of b it takes, padding included. With ErrDirentName n is right too, so
// that the entries behind it can be reached; with ErrDirentLength it is 0.
func ParseDirent(b []byte) (d Dirent, name []byte, n int, err error) {
	if d.Decode(b) != nil {
		return d, nil, 0, ErrDirentLength
	}
	size := (DirentSize + uint64(d.Namelen) + 7) &^ 7
	if size > uint64(len(b)) {
		return d, nil, 0, ErrDirentLength
	}
	name = b[DirentSize : DirentSize+int(d.Namelen)]
	if !ValidName(name) {
		err = ErrDirentName
	}
	return d, name, int(size), err
}

// ParseDirentplus reads the entry at the start of b, a part of the reply to
// READDIRPLUS, in the same way.
func ParseDirentplus(b []byte, e *EntryOut) (d Dirent, name []byte, n int, err error) {
	if e.Decode(b) != nil {
		return d, nil, 0, ErrDirentLength
	}
	d, name, n, err = ParseDirent(b[EntryOutSize:])
	if n > 0 {
		n += EntryOutSize // a multiple of 8: the padding is the same
	}
	return d, name, n, err
}

// ValidName reports whether name may be one component of a path. "." and ".."
// pass: servers list them.
func ValidName(name []byte) bool {
	if len(name) == 0 || len(name) > NameMax {
		return false
	}
	for _, c := range name {
		if c == '/' || c == 0 {
			return false
		}
	}
	return true
}

// AppendDirent appends the entry with its name and padding to b, as a server
// does; d.Namelen is set from name.
func AppendDirent(b []byte, d *Dirent, name string) []byte {
	d.Namelen = uint32(len(name))
	b = append(d.AppendTo(b), name...)
	for pad := -len(name) & 7; pad > 0; pad-- {
		b = append(b, 0)
	}
	return b
}
