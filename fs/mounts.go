package fs

import (
	"sort"
	"strings"
	"syscall"
)

// MountInfo is an entry of the mount table.
type MountInfo struct {
	ID       uint32 // of the mount
	Parent   uint32 // of the mount that it is in; 0 for the root
	Dir      bool   // no mount, but a directory of the root of the one before
	Source   string
	Path     string
	Type     string
	ReadOnly bool
	Dev      uint64
}

// String is the entry as mount(8) prints it.
func (m MountInfo) String() string {
	return m.Source + " on " + m.Path + " type " + m.Type + " (" + m.Options() + ")"
}

// Options are those of mount(8).
func (m MountInfo) Options() string {
	if m.ReadOnly {
		return "ro"
	}
	return "rw"
}

// Mounts lists what is mounted, in the order of mounting; behind a mount made
// with ListDirs come the directories that are in its root now.
func (v *VFS) Mounts() []MountInfo {
	var list []MountInfo
	for _, m := range v.allMounts() {
		m.root.Ref()
		path, err := v.Path(nil, m.root)
		if err == nil {
			list = append(list, m.info(path))
			if m.listDirs {
				for _, name := range m.dirs() {
					dir := m.info(strings.TrimSuffix(path, "/") + "/" + name)
					dir.Dir = true
					list = append(list, dir)
				}
			}
		}
		m.root.Put()
	}
	return list
}

func (m *Mount) info(path string) MountInfo {
	i := MountInfo{ID: m.id, Source: m.source, Path: path, Type: m.fs.Type(), ReadOnly: m.readOnly, Dev: m.dev}
	if m.point != nil {
		i.Parent = m.point.mnt.id
	}
	return i
}

// dirs lists the directories in the root of m that nothing is mounted on.
func (m *Mount) dirs() (names []string) {
	v := m.vfs
	points := make(map[string]bool)
	for _, p := range v.pointsIn(m.root) {
		points[p.name] = true
	}
	f, err := m.root.Open(syscall.O_RDONLY | syscall.O_DIRECTORY)
	if err != nil {
		return nil
	}
	defer f.Release()
	v.ReadDir(m.root, f, cookieDotDot, func(e *Dirent) bool {
		if !points[e.Name] && v.isDirectory(m.root, e) {
			names = append(names, strings.Clone(e.Name))
		}
		return true
	})
	sort.Strings(names)
	return names
}

// isDirectory tells if e, an entry of d, is a directory, also where the file
// system's entries do not say.
func (v *VFS) isDirectory(d *Dentry, e *Dirent) bool {
	if e.Type != syscall.DT_UNKNOWN {
		return e.Type == syscall.DT_DIR
	}
	n, err := d.node.Lookup(e.Name)
	if err != nil || n.Node == nil {
		return false
	}
	defer n.Node.Unref()
	kind, err := kindOf(n.Node)
	return err == nil && kind == syscall.S_IFDIR
}

// Shutdown writes back and closes all file systems, the last mounted first.
// The VFS and everything opened through it must not be used any more.
func (v *VFS) Shutdown() error {
	first := v.Sync()
	list := append(v.allMounts(), v.detached()...)
	for i := len(list) - 1; i >= 0; i-- {
		if err := list[i].fs.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
