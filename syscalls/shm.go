package syscalls

import (
	"math"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// System V shared memory: a segment is a file in memory, and what is attached is a
// mapping of it. There is no other process to share it with, but programs attach a
// segment twice.

// Flags of shmget(2) and shmat(2), and bits of a segment's mode (shm.h, ipc.h).
const (
	ipcPrivate = 0
	ipcCreat   = 0o1000
	ipcExcl    = 0o2000
	shmHugetlb = 0o4000

	shmRdonly = 0o10000
	shmRnd    = 0o20000
	shmRemap  = 0o40000
	shmExec   = 0o100000

	shmDest   = 0o1000 // to be removed when nothing is attached
	shmLocked = 0o2000
)

// shmMax is the most bytes that a segment may have (SHMMAX).
const shmMax = math.MaxUint64 - 1<<24

// IpcPerm is struct ipc64_perm.
type IpcPerm struct {
	Key                  int32
	UID, GID, CUID, CGID uint32
	Mode                 uint32
	Seq, _               uint16
	_                    [2]uint64
}

// ShmidDs is struct shmid64_ds. Times are in seconds since 1970; that of the last
// detachment is set by shmdt only.
type ShmidDs struct {
	Perm                IpcPerm
	Size                uint64
	Atime, Dtime, Ctime int64
	CPid, LPid          int32
	Attached            uint64
	_                   [2]uint64
}

// segments are all segments.
type segments struct {
	mu   sync.Mutex
	next int
	list map[int]*segment // by their ids
}

// segment is one of them; its dentry comes with a reference.
type segment struct {
	ShmidDs
	at *fs.Dentry
}

// attached counts what is attached of s.
func (l *mappings) attached(s *segment) (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.all {
		if m.desc != nil && m.desc.dentry == s.at {
			n++
		}
	}
	return n
}

// sweep removes the segments that are not attached any more and shall go then; mu is
// held. Each call begins with it: munmap tells nothing.
func (k *Kernel) sweep() {
	for id, s := range k.shm.list {
		if s.Perm.Mode&shmDest != 0 && k.maps.attached(s) == 0 {
			delete(k.shm.list, id)
			s.at.Put()
		}
	}
}

// segment finds a segment for do, which runs under the lock. EINVAL: there is none.
func (k *Kernel) segment(id int, do func(s *segment) syscall.Errno) syscall.Errno {
	k.shm.mu.Lock()
	defer k.shm.mu.Unlock()
	k.sweep()
	s := k.shm.list[id]
	if s == nil {
		return syscall.EINVAL
	}
	return do(s)
}

// Shmget finds the segment with a key, or makes one with size bytes: always for
// IPC_PRIVATE, with IPC_CREAT if there is none. ENOMEM: there are no huge pages, and
// no more bytes than the machine's memory.
func (k *Kernel) Shmget(key int32, size uint64, flags int) (int, syscall.Errno) {
	k.shm.mu.Lock()
	defer k.shm.mu.Unlock()
	k.sweep()
	for id, s := range k.shm.list {
		switch {
		case key == ipcPrivate || s.Perm.Key != key:
		case flags&(ipcCreat|ipcExcl) == ipcCreat|ipcExcl:
			return -1, syscall.EEXIST
		case size > s.Size:
			return -1, syscall.EINVAL
		default:
			return id, 0
		}
	}
	switch {
	case key != ipcPrivate && flags&ipcCreat == 0:
		return -1, syscall.ENOENT
	case size == 0 || size > shmMax:
		return -1, syscall.EINVAL
	case size > math.MaxInt64-pageSize:
		return -1, syscall.ENOSPC
	case flags&shmHugetlb != 0 || k.MemoryTotal > 0 && int64(size) > k.MemoryTotal:
		return -1, syscall.ENOMEM
	}
	f, d, e := k.memoryFile("/SYSV00000000", 0o777)
	if e != 0 {
		return -1, e
	}
	err := d.SetattrFile(f, &fs.SetAttr{Valid: fs.SetSize, Size: int64(size)})
	f.Release()
	if err != nil {
		d.Put()
		return -1, errno(err)
	}
	_, uid, _ := k.Getresuid()
	_, gid, _ := k.Getresgid()
	s := &segment{at: d}
	s.Perm = IpcPerm{Key: key, UID: uid, GID: gid, CUID: uid, CGID: gid, Mode: uint32(flags & 0o777)}
	s.Size, s.Ctime, s.CPid = size, time.Now().Unix(), pid
	if k.shm.list == nil {
		k.shm.list = make(map[int]*segment)
	}
	id := k.shm.next
	k.shm.next = (id + 1) & math.MaxInt32
	k.shm.list[id] = s
	return id, 0
}

// Shmat maps a segment, at addr if that is not 0, and returns the address.
func (k *Kernel) Shmat(id int, addr uintptr, flags int) (at uintptr, e syscall.Errno) {
	how, prot, opened := mapShared, protRead|protWrite, syscall.O_RDWR
	if flags&shmRdonly != 0 {
		prot, opened = protRead, syscall.O_RDONLY
	}
	if flags&shmExec != 0 {
		prot |= protExec
	}
	switch {
	case addr%pageSize != 0 && flags&shmRnd == 0, flags&shmRemap != 0 && addr&^(pageSize-1) == 0:
		return 0, syscall.EINVAL
	case addr != 0 && flags&shmRemap == 0:
		how |= mapFixedNoReplace
	case addr != 0:
		how |= mapFixed
	}
	addr &^= pageSize - 1
	e = k.segment(id, func(s *segment) syscall.Errno {
		f, err := s.at.Node().Open(opened)
		if err != nil {
			return errno(err)
		}
		s.at.Ref()
		m := &mapping{maps: &k.maps, mem: k.Memory, desc: k.newDesc(f, s.at, opened)}
		if at, e = k.mmap(m, addr, int(s.Size), prot, how); e != 0 && m.file == nil {
			m.desc.put()
		}
		switch e {
		case 0:
			s.Atime, s.LPid = time.Now().Unix(), pid
		case syscall.EEXIST:
			return syscall.EINVAL
		}
		return e
	})
	return at, e
}

// Shmdt takes away what is left of what Shmat has put at addr. EINVAL: nothing is.
func (k *Kernel) Shmdt(addr uintptr) syscall.Errno {
	k.shm.mu.Lock()
	defer k.shm.mu.Unlock()
	k.sweep()
	for _, s := range k.shm.list {
		if addr%pageSize != 0 || k.Memory == nil || !k.inBounds(addr, int(s.Size)) {
			continue
		}
		size, _ := pages(int(s.Size))
		l := &k.maps
		l.change.Lock()
		var old []*mapping
		list, _ := l.within(addr, addr+uintptr(size))
		for _, m := range list {
			if m.desc != nil && m.desc.dentry == s.at && m.off == int64(m.start()-addr) {
				old = append(old, l.carve(m.start(), m.end())...)
			}
		}
		l.change.Unlock()
		if len(old) > 0 {
			s.Dtime, s.LPid = time.Now().Unix(), pid
			e := finish(old)
			k.sweep()
			return e
		}
	}
	return syscall.EINVAL
}

// ShmRemove has a segment go as soon as it is not attached any more. Its key finds it
// no longer.
func (k *Kernel) ShmRemove(id int) syscall.Errno {
	defer k.segment(id, func(*segment) syscall.Errno { return 0 }) // sweeps
	return k.segment(id, func(s *segment) syscall.Errno {
		s.Perm.Mode |= shmDest
		s.Perm.Key = ipcPrivate
		return 0
	})
}

// ShmStat tells of a segment.
func (k *Kernel) ShmStat(id int) (d ShmidDs, e syscall.Errno) {
	e = k.segment(id, func(s *segment) syscall.Errno {
		d = s.ShmidDs
		d.Attached = k.maps.attached(s)
		return 0
	})
	return d, e
}

// ShmSet gives a segment d's owner and permissions, which nobody goes by.
func (k *Kernel) ShmSet(id int, d *ShmidDs) syscall.Errno {
	return k.segment(id, func(s *segment) syscall.Errno {
		p := &s.Perm
		p.UID, p.GID, p.Mode = d.Perm.UID, d.Perm.GID, p.Mode&^0o777|d.Perm.Mode&0o777
		s.Ctime = time.Now().Unix()
		return 0
	})
}

// ShmLock notes that a segment shall stay in memory, as all do.
func (k *Kernel) ShmLock(id int, lock bool) syscall.Errno {
	return k.segment(id, func(s *segment) syscall.Errno {
		s.Perm.Mode &^= shmLocked
		if lock {
			s.Perm.Mode |= shmLocked
		}
		return 0
	})
}
