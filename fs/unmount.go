package fs

import (
	"slices"
	"syscall"
)

// UnmountOptions say how to unmount.
type UnmountOptions struct {
	// Detach takes what is in use out of the tree, too, with all that is mounted
	// below it. CloseDetached closes it.
	Detach bool
	// NoFollow does not follow a link in the last component of the path.
	NoFollow bool
}

// Unmount takes away what is mounted at path and closes it. EINVAL: nothing
// is mounted just there; EBUSY: it is in use.
func (v *VFS) Unmount(b Base, path string) error { return v.UnmountWith(b, path, UnmountOptions{}) }

// UnmountWith is Unmount with options.
func (v *VFS) UnmountWith(b Base, path string, o UnmountOptions) error {
	d, err := v.Walk(b, path, !o.NoFollow)
	if err != nil {
		return err
	}
	v.mounts.Lock()
	defer v.mounts.Unlock()
	m := d.mnt
	isRoot := d == m.root
	d.Put()
	v.closeIdle()
	switch {
	case !isRoot || !slices.Contains(v.mounts.list, m):
		return syscall.EINVAL
	case m.point == nil:
		return syscall.EBUSY
	}
	// As on Linux, what cannot be written back does not keep the mount: its
	// server may be gone.
	_ = m.fs.Sync()
	if o.Detach {
		for _, below := range v.below(m) {
			v.takeOut(below, true)
		}
	}
	if !v.takeOut(m, o.Detach) {
		return syscall.EBUSY
	}
	return v.close(m)
}

// below lists what is mounted below m, the last first; the mount table is locked, as
// for all that follows.
func (v *VFS) below(m *Mount) (list []*Mount) {
	in := []*Mount{m}
	for _, o := range v.mounts.list { // in the order of mounting
		if o.point != nil && slices.Contains(in, o.point.mnt) {
			in = append(in, o)
			list = append([]*Mount{o}, list...)
		}
	}
	return list
}

// takeOut takes m out of the tree: if it is in use, only with force.
func (v *VFS) takeOut(m *Mount, force bool) bool {
	point := m.point
	point.mu.Lock() // nobody crosses into the mount now
	if m.busy() && !force {
		point.mu.Unlock()
		return false
	}
	point.mounted.Store(nil)
	point.mu.Unlock()

	v.mounts.list = slices.DeleteFunc(slices.Clone(v.mounts.list), func(o *Mount) bool { return o == m })
	v.mounts.detached = append(v.mounts.detached, m)
	for _, d := range m.pinned {
		d.pins.Add(-1)
	}
	m.pinned = nil
	if point.node == nil {
		if p := point.parent.Load(); p != nil {
			p.unhash(point.name, point)
		}
	}
	return true
}

// busy tells if anything in m is in use.
func (m *Mount) busy() bool {
	m.root.prune()
	return m.root.refs.Load() != 1 || m.root.mounted.Load() != nil
}

// close closes m, which is out of the tree, unless it is in use.
func (v *VFS) close(m *Mount) error {
	if m.busy() {
		return nil
	}
	v.mounts.detached = slices.DeleteFunc(v.mounts.detached, func(o *Mount) bool { return o == m })
	m.root.dead.Store(true)
	m.root.Put()
	m.point.Put()
	v.unwatch(m.fs)
	return m.fs.Close()
}

// CloseDetached closes what was detached and is used no longer. Unmount and Shutdown
// do so, too.
func (v *VFS) CloseDetached() {
	v.mounts.Lock()
	defer v.mounts.Unlock()
	v.closeIdle()
}

// closeIdle does so. Whoever detached it has heard of its last errors already.
func (v *VFS) closeIdle() {
	for _, m := range slices.Clone(v.mounts.detached) {
		_ = v.close(m)
	}
}

// detached lists what is out of the tree and still in use.
func (v *VFS) detached() []*Mount {
	v.mounts.Lock()
	defer v.mounts.Unlock()
	return slices.Clone(v.mounts.detached)
}
