package fs

import (
	"sort"
	"syscall"
)

// Cookies of what the VFS adds to a directory. They are positions of lseek(2),
// and so not negative, and lie where no file system's cookies are: ext4, whose
// cookies are hashes, has 1<<63-1 for the end, and else none from 0x7fffffff<<32
// on.
const (
	cookieDot    = 1<<63 - 2 - iota // the entry behind "."
	cookieDotDot                    // the first entry of the file system
	cookieMounts                    // the first bare mount point
	cookieEnd    = 0x7fffffff << 32
)

// ours tells if a cookie is not one of the file system.
func ours(cookie uint64) bool { return cookie >= cookieEnd && cookie <= cookieDot }

// unknownIno stands for an inode number that is not known. It is not 0:
// readers of directories skip entries with that.
const unknownIno = 0xffffffff

// ReadDir calls emit for the entries of the directory f, opened at d, that
// follow cookie (0: all) until it returns false. "." and ".." come first; bare
// mount points are among the entries. ENOENT: the directory has been removed.
func (v *VFS) ReadDir(d *Dentry, f File, cookie uint64, emit func(*Dirent) bool) error {
	if d.removed.Load() {
		return syscall.ENOENT
	}
	if cookie == 0 {
		if !emit(&Dirent{Name: ".", Ino: d.inode(), Type: syscall.DT_DIR, Next: cookieDot}) {
			return nil
		}
		cookie = cookieDot
	}
	if cookie == cookieDot {
		if !emit(&Dirent{Name: "..", Ino: v.parentInode(d), Type: syscall.DT_DIR, Next: cookieDotDot}) {
			return nil
		}
		cookie = cookieDotDot
	}
	points := v.pointsIn(d)
	if cookie == cookieDotDot || !ours(cookie) {
		full, err := v.readEntries(d, f, cookie, points, emit)
		if full || err != nil {
			return err
		}
		cookie = cookieMounts
	}
	for _, p := range points {
		next := cookieMounts - 1 - uint64(p.mount.id)
		if !p.bare || cookie <= next {
			continue
		}
		if !emit(&Dirent{Name: p.name, Ino: p.mount.root.inode(), Type: syscall.DT_DIR, Next: next}) {
			return nil
		}
	}
	return nil
}

// readEntries passes on the entries of the file system itself. full: emit
// took no more.
func (v *VFS) readEntries(d *Dentry, f File, cookie uint64, points []point, emit func(*Dirent) bool) (full bool, err error) {
	if cookie == cookieDotDot {
		cookie = 0
	}
	d.dir.RLock()
	defer d.dir.RUnlock()
	before := d.snapshot()
	bad := false
	err = f.ReadDir(cookie, func(e *Dirent) bool {
		if bad = ours(e.Next); bad {
			v.drop(e.Entry)
			return false
		}
		for i := range points {
			if points[i].name != e.Name {
				continue
			}
			if points[i].bare {
				// Comes with the mount points, at a cookie that stays
				// when the name below it goes.
				v.drop(e.Entry)
				return true
			}
			e.Type = syscall.DT_DIR
		}
		if e.Ino == 0 {
			e.Ino = unknownIno
		}
		if e.Entry.Node == nil {
			full = !emit(e)
			return !full
		}
		entry := e.Entry
		e.Entry = Entry{}
		if !emit(e) {
			v.drop(entry)
			full = true
			return false
		}
		if v.covers(d, e.Name) {
			v.drop(entry)
			return true
		}
		if c, err := v.insertSince(&before, d, e.Name, entry); c != nil && err == nil {
			c.Put()
		}
		return true
	})
	if bad && err == nil {
		err = syscall.EIO // from here on there would be no way
	}
	return full, err
}

func (v *VFS) drop(e Entry) {
	if e.Node != nil {
		e.Node.Unref()
	}
}

// point is a mount point in some directory.
type point struct {
	name  string
	bare  bool
	mount *Mount
}

// pointsIn lists the mount points in d in the order of their cookies.
func (v *VFS) pointsIn(d *Dentry) []point {
	if d.pins.Load() == 0 {
		return nil
	}
	v.mounts.Lock()
	defer v.mounts.Unlock()
	var list []point
	for _, m := range v.mounts.list {
		if m.point != nil && m.point.parent.Load() == d {
			list = append(list, point{m.point.name, m.point.node == nil, m})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].mount.id < list[j].mount.id })
	return list
}

// inode is d's inode number, or a stand-in.
func (d *Dentry) inode() uint64 {
	a := attrs.Get().(*Attr)
	defer attrs.Put(a)
	if err := d.Getattr(a); err != nil || a.Ino == 0 {
		return unknownIno
	}
	return a.Ino
}

func (v *VFS) parentInode(d *Dentry) uint64 {
	w := walk{v: v, root: v.root.root, at: d}
	d.Ref()
	w.up()
	defer w.end()
	return w.at.inode()
}
