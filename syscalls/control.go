package syscalls

import (
	"encoding/binary"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/blockdev"
)

// Requests of ioctl(2) that do not come with the size of their data, which is
// an int (4 bytes). The first four are answered here, as Linux does.
const (
	fioNclex = 0x5450 // takes no data
	fioClex  = 0x5451 // takes no data
	fioNbio  = 0x5421
	fioNread = 0x541b

	fiBmap   = 1
	fiGetBsz = 2

	fsGetFlags = 0x80086601 // says 8 bytes
	fsSetFlags = 0x40086602 // likewise
)

// Requests of terminals, ioctl_tty(2), that package syscall does not name.
const (
	tcSetsW  = 0x5403
	tcSetsF  = 0x5404
	tcGeta   = 0x5405
	tcSeta   = 0x5406
	tcSetaW  = 0x5407
	tcSetaF  = 0x5408
	tiocGsid = 0x5429
)

// Requests of sockets, netdevice(7), which are numbers without a size.
const (
	siocGroup    = 0x89
	siocGstamp   = 0x8906 // takes struct timeval
	siocGstampNs = 0x8907 // struct timespec
	siocGifconf  = 0x8912 // struct ifconf, whose array is what the file gets
	siocOutqNsd  = 0x894b // SIOCOUTQNSD: takes an int
	siocDarp     = 0x8953 // the first of those that take struct arpreq
	siocGarp     = 0x8954
	siocSarp     = 0x8955
)

// siocSize is how much memory of the program such a request takes, in bytes.
func siocSize(req uint32) int {
	switch req {
	case siocGstamp, siocGstampNs:
		return 16
	case siocDarp, siocGarp, siocSarp:
		return 68
	}
	if req < 0x890b || req == siocOutqNsd { // those on processes, marks and queues
		return 4
	}
	return 40 // struct ifreq
}

// Parts of a request of ioctl(2).
const (
	iocWrite = 1 << 30 // it reads what arg points to
	iocRead  = 1 << 31 // it writes there
)

// ioctlSize is how much memory of the program a request takes, in bytes, by what
// it says or, where it says nothing, by its definition; 0: its argument is a
// value.
func ioctlSize(req uint32) int {
	switch req {
	case fioClex, fioNclex:
		return 0
	case fioNbio, fioNread, fiBmap, fiGetBsz, fsGetFlags, fsSetFlags,
		syscall.TIOCGPGRP, syscall.TIOCSPGRP, syscall.TIOCOUTQ, syscall.TIOCGETD, syscall.TIOCSETD, tiocGsid:
		return 4
	case syscall.TCGETS, syscall.TCSETS, tcSetsW, tcSetsF:
		return 36 // struct termios
	case tcGeta, tcSeta, tcSetaW, tcSetaF:
		return 18 // struct termio
	case syscall.TIOCGWINSZ, syscall.TIOCSWINSZ:
		return 8 // struct winsize
	case syscall.TIOCSTI:
		return 1
	case blockdev.BLKROGET, blockdev.BLKSSZGET, blockdev.BLKIOMIN, blockdev.BLKIOOPT, blockdev.BLKALIGNOFF, blockdev.BLKPBSZGET, blockdev.BLKBSZGET:
		return 4
	case blockdev.BLKGETSIZE:
		return 8
	case blockdev.BLKDISCARD, blockdev.BLKZEROOUT:
		return 16 // two numbers of 64 bits
	}
	if req>>8 == siocGroup {
		return siocSize(req)
	}
	if req&(iocWrite|iocRead) == 0 {
		return 0
	}
	return int(req >> 16 & 0x3fff)
}

// Ioctl does the control operation req on the open file. Arg is its argument;
// data, if it is not nil, what arg points to, at least as much as the request
// takes, else EFAULT. ENOTTY: the file does not know the request.
func (k *Kernel) Ioctl(fd int, req uint32, arg uint64, data []byte) (int, syscall.Errno) {
	s, e := k.table.slot(fd)
	if e != 0 {
		return -1, e
	}
	d := s.desc
	defer d.put()
	if d.opened&O_PATH != 0 {
		return -1, syscall.EBADF
	}
	if req == fioClex || req == fioNclex {
		s.cloexec.Store(req == fioClex)
		return 0, 0
	}
	size := ioctlSize(req)
	if req == siocGifconf {
		size = len(data)
	}
	if len(data) < size {
		return -1, syscall.EFAULT
	}
	data = data[:size]
	switch {
	case req == fioNbio:
		flags := d.flags.Load() &^ syscall.O_NONBLOCK
		if integer(data) != 0 {
			flags |= syscall.O_NONBLOCK
		}
		return 0, d.setFlags(flags)
	case req == fiGetBsz:
		return 0, d.blockSize(data)
	case req == fioNread && d.kind == syscall.S_IFREG:
		return 0, d.left(data)
	case req == fioNread && d.counts():
		return 0, d.readableNow(data)
	case req == fiBmap && d.kind == syscall.S_IFREG:
		return 0, d.bmap(data)
	}
	if f, ok := d.file.(interface{ Pending() int }); ok && req == fioNread {
		setInteger(data, int32(f.Pending()))
		return 0, 0
	}
	f, ok := d.file.(fs.IoctlFile)
	if !ok {
		return -1, syscall.ENOTTY
	}
	var in, out []byte
	both := req&(iocWrite|iocRead) == 0 // it does not say which way its data go
	if size > 0 && both || req&iocWrite != 0 {
		in = append(in, data...)
	}
	if size > 0 && both || req&iocRead != 0 {
		out = data
	}
	val, n, err := f.Ioctl(req, arg, in, out)
	switch {
	case err != nil:
		return -1, errno(err)
	case val < 0:
		return -1, syscall.Errno(-val)
	case req == siocGifconf:
		return n, 0
	}
	return int(val), 0
}

// An int of a program's memory.
func integer(data []byte) int32       { return int32(binary.NativeEndian.Uint32(data)) }
func setInteger(data []byte, n int32) { binary.NativeEndian.PutUint32(data, uint32(n)) }

// blockSize stores the size of the blocks that Bmap counts.
func (d *desc) blockSize(data []byte) syscall.Errno {
	var s fs.Statfs
	if err := d.dentry.Statfs(&s); err != nil {
		return errno(err)
	}
	setInteger(data, int32(s.Bsize))
	return 0
}

// counts tells if d's file knows what there is to be read.
func (d *desc) counts() bool {
	_, ok := d.file.(fs.ReadableFile)
	return ok
}

// readableNow stores how many bytes there are to be read from a stream.
func (d *desc) readableNow(data []byte) syscall.Errno {
	n, err := d.file.(fs.ReadableFile).Readable()
	if err != nil {
		return errno(err)
	}
	setInteger(data, int32(n))
	return 0
}

// left stores how many bytes there are between the position and the end.
func (d *desc) left(data []byte) syscall.Errno {
	var a fs.Attr
	if err := d.file.Getattr(&a); err != nil {
		return errno(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	setInteger(data, int32(a.Size-d.pos))
	return 0
}

// bmap replaces the number of a block of the file by where it lies on the
// device, 0 for a hole.
func (d *desc) bmap(data []byte) syscall.Errno {
	n, ok := d.dentry.Node().(fs.BmapNode)
	block := integer(data)
	if !ok || block < 0 {
		return syscall.EINVAL
	}
	var s fs.Statfs
	if err := d.dentry.Statfs(&s); err != nil {
		return errno(err)
	}
	at, err := n.Bmap(uint64(block), s.Bsize)
	switch {
	case err != nil:
		return errno(err)
	case at > 1<<31-1:
		return syscall.ERANGE
	}
	setInteger(data, int32(at))
	return 0
}
