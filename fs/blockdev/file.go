package blockdev

import (
	"encoding/binary"
	"errors"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Requests of ioctl(2) (linux/fs.h). They say nothing of their data, or what is wrong:
// those that give a number give an int, BLKGETSIZE an unsigned long, BLKGETSIZE64 8 bytes;
// BLKDISCARD and BLKZEROOUT take two numbers of 8 bytes.
const (
	BLKROGET     = 0x125e
	BLKGETSIZE   = 0x1260
	BLKFLSBUF    = 0x1261
	BLKSSZGET    = 0x1268
	BLKDISCARD   = 0x1277
	BLKIOMIN     = 0x1278
	BLKIOOPT     = 0x1279
	BLKALIGNOFF  = 0x127a
	BLKPBSZGET   = 0x127b
	BLKZEROOUT   = 0x127f
	BLKBSZGET    = 0x80081270
	BLKGETSIZE64 = 0x80081272
)

// physicalBlock is what BLKBSZGET says: the size in which file systems think.
const physicalBlock = 4096

// file is an open block device.
type file struct {
	fs.UnsupportedFile
	*Device
	node fs.Node
	sync bool // O_DSYNC: each write is flushed
}

// Getattr implements fs.File. The size of a block device is not told so, see SeekFrom.
func (f *file) Getattr(a *fs.Attr) error { return f.node.Getattr(a) }

// Setattr implements fs.File.
func (f *file) Setattr(s *fs.SetAttr, a *fs.Attr) error { return f.node.Setattr(s, a) }

func (f *file) ReadAt(p []byte, off int64) (int, error) { return f.Device.ReadAt(p, off) }

func (f *file) WriteAt(p []byte, off int64) (int, int64, error) {
	n, err := f.Device.WriteAt(p, off)
	if err == nil && f.sync {
		err = f.disk.Flush()
	}
	return n, off + int64(n), err
}

// Fsync implements fs.File.
func (f *file) Fsync(bool) error {
	if f.ReadOnly() {
		return nil
	}
	return f.disk.Flush()
}

func (f *file) Flush() error { return nil }

func (f *file) Release() {}

// Parts of whence that package syscall does not name.
const (
	seekSet = 0
	seekCur = 1
	seekEnd = 2
)

// SeekFrom implements fs.SeekFile: there are no positions behind the end.
func (f *file) SeekFrom(pos, off int64, whence int) (int64, error) {
	size := f.Size()
	switch whence {
	case seekCur:
		off += pos // of an open file, at most the size: no overflow that is not negative
	case seekEnd:
		off += size
	case fs.SeekData, fs.SeekHole:
		if off < 0 || off >= size {
			return 0, syscall.ENXIO
		}
		if whence == fs.SeekHole {
			return size, nil
		}
		return off, nil
	}
	if off < 0 || off > size {
		return 0, syscall.EINVAL
	}
	return off, nil
}

// Fallocate implements fs.FallocateFile: ranges of zeroes, which the disk may or may
// not store.
func (f *file) Fallocate(mode uint32, off, n int64) error {
	switch mode {
	case fs.FallocPunch | fs.FallocKeepSize:
		return f.zero(off, n, true)
	case fs.FallocZero, fs.FallocZero | fs.FallocKeepSize:
		return f.zero(off, n, false)
	}
	return syscall.EOPNOTSUPP
}

// zero makes whole blocks zero.
func (f *file) zero(off, n int64, unmap bool) error {
	if err := f.blocksAt(off, n); err != nil {
		return err
	}
	f.blocks.RLock()
	err := f.disk.WriteZeroes(f.start+off, n, unmap)
	f.blocks.RUnlock()
	if !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	zeroes := make([]byte, min(n, maxBounce))
	for n > 0 {
		m, err := f.Device.WriteAt(zeroes[:min(n, int64(len(zeroes)))], off)
		if err != nil {
			return err
		}
		off, n = off+int64(m), n-int64(m)
	}
	return nil
}

// blocksAt checks that a range that is to be changed is of whole blocks on the device.
func (f *file) blocksAt(off, n int64) error {
	block := int64(f.disk.BlockSize())
	switch {
	case f.ReadOnly():
		return syscall.EROFS
	case off < 0 || n < 0 || off%block != 0 || n%block != 0 || off > f.Size() || n > f.Size()-off:
		return syscall.EINVAL
	}
	return nil
}

// Ioctl implements fs.IoctlFile.
func (f *file) Ioctl(cmd uint32, _ uint64, in, out []byte) (int32, int, error) {
	size := f.Size()
	number := func(v uint64) (int32, int, error) {
		switch len(out) {
		case 4:
			binary.LittleEndian.PutUint32(out, uint32(v))
		case 8:
			binary.LittleEndian.PutUint64(out, v)
		default:
			return 0, 0, syscall.EFAULT
		}
		return 0, len(out), nil
	}
	switch cmd {
	case BLKGETSIZE64:
		return number(uint64(size))
	case BLKGETSIZE:
		return number(uint64(size) / 512)
	case BLKSSZGET:
		return number(uint64(f.disk.BlockSize()))
	case BLKPBSZGET, BLKIOMIN:
		return number(uint64(f.disk.PhysicalBlockSize()))
	case BLKBSZGET:
		return number(physicalBlock)
	case BLKIOOPT, BLKALIGNOFF:
		return number(0)
	case BLKROGET:
		if f.ReadOnly() {
			return number(1)
		}
		return number(0)
	case BLKFLSBUF:
		return 0, 0, f.Fsync(true)
	case BLKDISCARD, BLKZEROOUT:
		if len(in) < 16 {
			return 0, 0, syscall.EFAULT
		}
		off, n := int64(binary.LittleEndian.Uint64(in)), int64(binary.LittleEndian.Uint64(in[8:]))
		if cmd == BLKZEROOUT {
			return 0, 0, f.zero(off, n, false)
		}
		if err := f.blocksAt(off, n); err != nil {
			return 0, 0, err
		}
		f.blocks.RLock()
		defer f.blocks.RUnlock()
		return 0, 0, f.disk.Discard(f.start+off, n)
	}
	return 0, 0, syscall.ENOTTY
}
