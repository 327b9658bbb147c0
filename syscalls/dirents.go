package syscalls

import (
	"encoding/binary"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// direntHead is the length of linux_dirent64 before its name:
//
//	d_ino u64, d_off u64, d_reclen u16, d_type u8, name, NUL, padding to 8
const direntHead = 8 + 8 + 2 + 1

// ReadDirent fills buf with entries of the directory as getdents64(2) does.
// 0: the end, which the call before may have come upon. EINVAL: buf is too small for the next entry.
func (k *Kernel) ReadDirent(fd int, buf []byte) (int, syscall.Errno) {
	d, e := k.table.file(fd)
	if e != 0 {
		return 0, e
	}
	defer d.put()
	if d.kind != syscall.S_IFDIR {
		return 0, syscall.ENOTDIR
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end != 0 && d.pos == d.end {
		d.end = 0 // a further call looks whether there is more
		d.dentry.Notify(fs.InAccess)
		return 0, 0
	}
	n, full := 0, false
	err := k.vfs.ReadDir(d.dentry, d.file, uint64(d.pos), func(e *fs.Dirent) bool {
		m := putDirent(buf[n:], e)
		if m == 0 {
			full = true
			return false
		}
		n += m
		d.pos = int64(e.Next)
		return true
	})
	if err != syscall.ENOENT {
		d.dentry.Notify(fs.InAccess)
	}
	switch {
	case n > 0:
		if err == nil && !full {
			d.end = d.pos
		}
		return n, 0
	case err != nil:
		return 0, errno(err)
	case full:
		return 0, syscall.EINVAL
	}
	return 0, 0
}

// putDirent writes e to b and returns its length, 0 if there is no room.
func putDirent(b []byte, e *fs.Dirent) int {
	n := (direntHead + len(e.Name) + 1 + 7) &^ 7
	if n > len(b) {
		return 0
	}
	b = b[:n:n]
	binary.LittleEndian.PutUint64(b[n-8:], 0) // behind the name; the name and the rest come over it
	head := (*[24]byte)(b)                    // the least that an entry takes
	binary.LittleEndian.PutUint64(head[:], e.Ino)
	binary.LittleEndian.PutUint64(head[8:], e.Next)
	binary.LittleEndian.PutUint16(head[16:], uint16(n))
	head[18] = e.Type
	copy(b[direntHead:], e.Name)
	return n
}
