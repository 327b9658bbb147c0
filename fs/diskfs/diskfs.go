// Package diskfs is an io/fs.FS over a file system on a disk, and what the formats of
// such file systems have in common. They are read, not written: package iofs mounts them.
//
// What is on a disk is foreign. A format checks each number that it takes from there before
// it is used, and what is wrong is a *Corrupt, which names the table and the field; what
// is kept in memory is bounded by constants, not by numbers on the disk.
//
// The kernel mounts disks before packages that it does not import itself are initialised: no
// variable here, or in the formats, may need that.
package diskfs

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Ref is what a format finds an inode by.
type Ref uint64

// Volume is a file system of some format. Its methods may be called from several goroutines.
type Volume interface {
	Root() Ref
	// Stat tells all but the device. Size is not negative.
	Stat(Ref, *syscall.Stat_t) error
	// ReadDir lists a directory, without . and .., until yield returns false; the names may be
	// any bytes. It is ENOTDIR for other files.
	ReadDir(ref Ref, yield func(name string, child Ref) bool) error
	// ReadLink is the text of a symbolic link.
	ReadLink(Ref) (string, error)
	// Open opens a regular file. Its ReadAt is asked for bytes up to the file's size only, and
	// reads all of them or fails.
	Open(Ref) (io.ReaderAt, error)

	Magic() uint32 // statfs's f_type
	Bytes() int64  // of it all
	Files() int64  // inodes
}

// Limits of what is taken from a disk.
const (
	MaxDirectory = 64 << 20 // bytes of one directory
	MaxLink      = 4095     // bytes of a symbolic link, as Linux has it
)

// Corrupt is what is wrong with a file system. It is EUCLEAN, as on Linux.
type Corrupt struct {
	Table string // "superblock", "inode 12"
	Field string // by its name in Linux's sources
	Value uint64
	Want  string // what it should be: "at most 6"
}

func (c *Corrupt) Error() string {
	return fmt.Sprintf("%s: %s is %d (%#[3]x), want %s", c.Table, c.Field, c.Value, c.Want)
}

func (c *Corrupt) Unwrap() error { return syscall.EUCLEAN }

// Table is what may be wrong: "superblock", "inode 12".
type Table string

// Superblock is the one that a file system is found by.
const Superblock Table = "superblock"

// Corrupt makes a *Corrupt of a field, and what it should be.
func (t Table) Corrupt(field string, v uint64, want string, args ...any) error {
	return &Corrupt{string(t), field, v, fmt.Sprintf(want, args...)}
}

// Unsupported is what a file system needs and its reader does not have. It is EINVAL, as
// mount(2) has it on Linux.
type Unsupported struct {
	Field string
	What  string // and what to do
}

func (u *Unsupported) Error() string { return u.Field + ": " + u.What }

func (u *Unsupported) Unwrap() error { return syscall.EINVAL }

// ErrMagic is that there is no file system of this format. It is EINVAL.
var ErrMagic error = noMagic{}

type noMagic struct{}

func (noMagic) Error() string { return "no superblock of this type" }
func (noMagic) Unwrap() error { return syscall.EINVAL }

// Disk is where a file system lies.
type Disk struct {
	R    io.ReaderAt // may read less than is asked for
	Size int64       // in bytes
}

// Read reads all of p at off, which field of table has said.
func (d Disk) Read(p []byte, off uint64, table, field string) error {
	if off > uint64(d.Size) || uint64(len(p)) > uint64(d.Size)-off {
		return &Corrupt{table, field, off, fmt.Sprintf("%d bytes on the disk, which has %d", len(p), d.Size)}
	}
	for n := 0; n < len(p); {
		m, err := d.R.ReadAt(p[n:], int64(off)+int64(n))
		n += m
		if n < len(p) && (m <= 0 || err != nil) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("%s: %s: %d bytes at %d of the disk: %w", table, field, len(p), off, errors.Join(err, syscall.EIO))
		}
	}
	return nil
}

// Superblock reads the one of size bytes at a place of the disk, which has a magic number: 32 bits, or
// 16 if they are enough. Without that it is ErrMagic.
func (d Disk) Superblock(at, size uint64, magicAt int, magic uint32) ([]byte, error) {
	if uint64(d.Size) < at+size {
		return nil, ErrMagic
	}
	b := make([]byte, size)
	if err := d.Read(b, at, string(Superblock), "place"); err != nil {
		return nil, err
	}
	for v := magic; v != 0; v >>= 8 {
		if b[magicAt] != byte(v) {
			return nil, ErrMagic
		}
		magicAt++
	}
	return b, nil
}

// Fill reads dst from r, and returns how many bytes there are. More: dst has no room for all of them.
func Fill(dst []byte, r io.Reader) (n int, more bool, err error) {
	for n < len(dst) && err == nil {
		var m int
		m, err = r.Read(dst[n:])
		n += m
	}
	var next [1]byte
	for err == nil && !more {
		var m int
		m, err = r.Read(next[:])
		more = m > 0
	}
	if err == io.EOF {
		err = nil
	}
	return n, more, err
}

// Dev makes st_rdev (makedev(3)) of the two forms in which Linux stores device numbers.
func Dev(old bool, v uint32) uint64 {
	major, minor := uint64(v>>8)&0xfff, uint64(v)&0xff|uint64(v>>12)&0xfff00
	if old {
		major, minor = uint64(v>>8)&0xff, uint64(v)&0xff
	}
	return major<<8 | minor&0xff | minor&^0xff<<12
}
