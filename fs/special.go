package fs

import (
	"sync"
	"syscall"
)

// OpenDevice opens a device; flags are as of Node.Open.
type OpenDevice func(flags int) (File, error)

// Device is implemented by Nodes of devices that know what they stand for.
// Other device nodes are opened by their number, see HandleDevice.
type Device interface {
	OpenDevice(flags int) (File, error)
}

type devices struct {
	mu sync.RWMutex
	m  map[device]OpenDevice
}

type device struct {
	kind uint32 // S_IFCHR or S_IFBLK
	rdev uint64
}

// HandleDevice makes open serve every node of that kind (S_IFCHR, S_IFBLK) and
// number, in whatever file system it lies.
func (v *VFS) HandleDevice(kind uint32, rdev uint64, open OpenDevice) {
	v.devices.mu.Lock()
	defer v.devices.mu.Unlock()
	if v.devices.m == nil {
		v.devices.m = make(map[device]OpenDevice)
	}
	v.devices.m[device{kind, rdev}] = open
}

// openSpecial opens what is neither file, directory nor link.
func (d *Dentry) openSpecial(flags int) (File, error) {
	if n, ok := d.node.(Device); ok {
		return n.OpenDevice(flags)
	}
	v := d.mnt.vfs
	if d.kind == syscall.S_IFIFO {
		return v.openFIFO(d.node, flags)
	}
	if d.kind != syscall.S_IFCHR && d.kind != syscall.S_IFBLK {
		return nil, syscall.ENXIO
	}
	var a Attr
	if err := d.node.Getattr(&a); err != nil {
		return nil, err
	}
	v.devices.mu.RLock()
	open := v.devices.m[device{d.kind, a.Rdev}]
	v.devices.mu.RUnlock()
	if open == nil {
		return nil, syscall.ENXIO
	}
	return open(flags)
}

// FlagFile is implemented by Files whose O_APPEND can change while they are
// open. Flags are those that the file is to have from now on.
type FlagFile interface {
	SetFlags(flags int) error
}
