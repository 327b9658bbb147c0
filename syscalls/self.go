package syscalls

import "github.com/yolkos/yolk/fs"

// The methods below are for /proc/self; see procfs.Process.

// Descriptors lists the open descriptors, lowest first.
func (k *Kernel) Descriptors() []int {
	slots := *k.table.slots.Load()
	var list []int
	for fd := range slots {
		if slots[fd].Load() != nil {
			list = append(list, fd)
		}
	}
	return list
}

// Descriptor tells what fd is, in words, and where, with a reference; nil if
// it is not open.
func (k *Kernel) Descriptor(fd int) (string, *fs.Dentry) {
	d, e := k.table.get(fd)
	if e != 0 {
		return "", nil
	}
	defer d.put()
	d.dentry.Ref()
	return k.describe(d.dentry), d.dentry
}

// describe is the path of d, or what it is if it has none.
func (k *Kernel) describe(d *fs.Dentry) string {
	path, err := k.vfs.Path(nil, d)
	if err == nil {
		return path
	}
	return d.Label()
}

// WorkingDir is the working directory, with a reference.
func (k *Kernel) WorkingDir() (string, *fs.Dentry) {
	k.places.RLock()
	defer k.places.RUnlock()
	return k.place(k.cwd)
}

// RootDir is the root directory, with a reference.
func (k *Kernel) RootDir() (string, *fs.Dentry) {
	k.places.RLock()
	defer k.places.RUnlock()
	return k.place(k.root)
}

func (k *Kernel) place(d *fs.Dentry) (string, *fs.Dentry) {
	if d == nil {
		d, err := k.vfs.Walk(fs.Base{}, "/", true)
		if err != nil {
			return "", nil
		}
		return "/", d
	}
	d.Ref()
	return k.describe(d), d
}
