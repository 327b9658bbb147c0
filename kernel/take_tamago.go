//go:build tamago

package kernel

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// What a program of this module drives itself, in place of the kernel.

// TakeDevice hands out a virtio device of a type (virtio 1.2 §5) that has no driver
// here, and memory for its queues; nil if there is none (any more). With several
// devices for random numbers the kernel drives the first one.
func TakeDevice(id uint32) (virtio.Transport, virtio.Memory) {
	m := &booted
	m.taking.Lock()
	defer m.taking.Unlock()
	i := slices.IndexFunc(m.undriven, func(t virtio.Transport) bool { return t.DeviceID() == id })
	if i < 0 || m.arena == nil {
		return nil, nil
	}
	t := m.undriven[i]
	m.undriven = slices.Delete(m.undriven, i, i+1)
	return t, m.arena
}

// TakeShare hands out the device of a share on which nothing is mounted, and which
// the kernel does not mount any more: ENODEV, EBUSY.
func TakeShare(tag string) (fuse.Transport, error) {
	s := booted.shareNamed(tag)
	if s == nil {
		return nil, fmt.Errorf("no share has the tag %q: %w", tag, syscall.ENODEV)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fs != nil || s.taken {
		return nil, fmt.Errorf("share %s is in use: %w", tag, syscall.EBUSY)
	}
	s.taken = true
	return s.dev.Load(), nil
}

// RegisterFileSystem has syscall.Mount know file systems of type fstype. Make makes
// one of the source and the data that Mount is given. The kernel's own types stay.
func RegisterFileSystem(fstype string, make func(source, data string) (fs.FileSystem, error)) {
	m := &booted
	m.taking.Lock()
	defer m.taking.Unlock()
	if m.registered == nil {
		m.registered = map[string]func(source, data string) (fs.FileSystem, error){}
	}
	m.registered[fstype] = make
}
