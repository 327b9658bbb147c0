package fs

import (
	"strings"
	"syscall"
)

// Mount is one file system in the tree.
//
// Its place, point, is a directory, or a bare name: a mount point may be made
// in a directory whose file system has no such name, or has it for something
// else, which is then hidden.
type Mount struct {
	vfs      *VFS
	fs       FileSystem
	source   string
	id       uint32
	readOnly bool
	listDirs bool
	root     *Dentry
	point    *Dentry // nil for the root; fixed while anything in the mount is in use
	pinned   []*Dentry
	dev      uint64
}

// MountOptions say how to mount.
type MountOptions struct {
	Source   string // what the mount table shows; the type if empty
	ReadOnly bool   // writing calls answer EROFS
	// Bare mounts at a name that its directory does not have, or that is no
	// directory there.
	Bare bool
	// ListDirs shows each directory in the root of the file system as an entry
	// of the mount table.
	ListDirs bool
}

// New makes a VFS whose root is f. The VFS owns f from now on.
func New(f FileSystem, o MountOptions) *VFS {
	v := &VFS{}
	v.cache.init()
	v.pipes = v.Internal(pipeFS{})
	v.root = v.newMount(f, o)
	v.mounts.list = []*Mount{v.root}
	return v
}

func (v *VFS) newMount(f FileSystem, o MountOptions) *Mount {
	v.mounts.lastID++
	m := &Mount{vfs: v, fs: f, source: o.Source, id: v.mounts.lastID, readOnly: o.ReadOnly, listDirs: o.ListDirs}
	if m.source == "" {
		m.source = f.Type()
	}
	if r, ok := f.(Reclaimer); ok {
		r.SetReclaim(func(n int) int { return v.cache.reclaim(n, f) })
	}
	m.dev = uint64(m.id) // major 0, as Linux numbers file systems without a device
	m.root = v.newDentry(m, nil, "", f.Root(), syscall.S_IFDIR)
	m.root.expires.Store(int64(Forever))
	return m
}

// FileSystem is what is mounted.
func (m *Mount) FileSystem() FileSystem { return m.fs }

// ID is the number of the mount, as in /proc/self/mountinfo.
func (m *Mount) ID() uint32 { return m.id }

// Dev is the device number that stat shows for files of the mount.
func (m *Mount) Dev() uint64 { return m.dev }

// ReadOnly tells if the mount takes no changes.
func (m *Mount) ReadOnly() bool { return m.readOnly }

// Mount mounts f at path. The VFS owns f if there is no error.
func (v *VFS) Mount(b Base, path string, f FileSystem, o MountOptions) error {
	v.mounts.Lock()
	defer v.mounts.Unlock()
	point, pinned, err := v.mountPoint(b, path, o.Bare)
	if err != nil {
		return err
	}
	m := v.newMount(f, o)
	m.point = point
	m.pinned = pinned
	point.mu.Lock()
	point.mounted.Store(m)
	point.mu.Unlock()
	v.mounts.list = append(v.mounts.list, m)
	return nil
}

// mountPoint finds or makes the mount point at path and returns it with a
// reference, and what has been pinned for it.
func (v *VFS) mountPoint(b Base, path string, bare bool) (*Dentry, []*Dentry, error) {
	var w walk
	if err := v.start(&w, b, path, false); err != nil {
		return nil, nil, err
	}
	defer w.end()
	for {
		if err := w.last(); err != nil {
			return nil, nil, err
		}
		if isDots(w.name) {
			break
		}
		p := w.at
		p.dir.Lock()
		d, err := w.find(p, w.name)
		if bare && (err == syscall.ENOENT || err == nil && !d.isDir()) {
			if err == nil {
				d.Put()
			}
			d, err = v.bareMountPoint(p, w.name), nil
		}
		if err == nil && d.isDir() && d.mounted.Load() == nil {
			pinned := d.pin() // under p.dir, so that nobody removes it now
			p.dir.Unlock()
			return d, pinned, nil
		}
		p.dir.Unlock()
		if err != nil {
			return nil, nil, err
		}
		d.Put()
		if err := w.step(w.name, true); err != nil {
			return nil, nil, err
		}
		if strings.TrimLeft(w.rest, "/") == "" {
			break
		}
	}
	if err := w.finish(true); err != nil {
		return nil, nil, err
	}
	switch {
	case !w.at.isDir():
		return nil, nil, syscall.ENOTDIR
	case w.at == v.root.root:
		return nil, nil, syscall.EBUSY
	}
	w.at.Ref()
	return w.at, w.at.pin(), nil
}

// bareMountPoint makes a dentry without a node in p; p.dir is held.
func (v *VFS) bareMountPoint(p *Dentry, name string) *Dentry {
	d := v.newDentry(p.mnt, p, strings.Clone(name), nil, syscall.S_IFDIR)
	p.mu.Lock()
	old := p.children[name]
	p.setChild(d)
	p.mu.Unlock()
	if old != nil {
		old.bury()
	}
	return d
}

// pin keeps d and the directories above it in their places.
func (d *Dentry) pin() (pinned []*Dentry) {
	for ; d != nil; d = d.parent.Load() {
		d.pins.Add(1)
		pinned = append(pinned, d)
	}
	return pinned
}

// Sync writes back what the mounted file systems hold; the first error wins.
func (v *VFS) Sync() error {
	var first error
	for _, m := range append(v.allMounts(), v.detached()...) {
		if err := m.fs.Sync(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (v *VFS) allMounts() []*Mount {
	v.mounts.Lock()
	defer v.mounts.Unlock()
	return append([]*Mount(nil), v.mounts.list...)
}
