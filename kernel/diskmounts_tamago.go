//go:build tamago

package kernel

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/blockdev"
)

// openDisk makes the file system of a type that is on a disk of size bytes; it may be auto. It
// takes changes if there is an upper one for them. Without a disk (r is nil) it is ENODEV if there is no
// such type, else ENOTBLK. It is package kernel/diskfs's, in images that have it.
//
//go:linkname openDisk
var openDisk func(fstype string, r io.ReaderAt, size int64, options string, upper func() fs.FileSystem, note func(error)) (fs.FileSystem, error)

// blockDevice returns the disk or partition of a name in /dev.
func (m *machine) blockDevice(name string) *blockdev.Device {
	for _, d := range m.disks {
		if b := d.byName[name]; b != nil {
			return b
		}
	}
	return nil
}

// openDiskNamed opens what is on the device source, "/dev/vda1". Its errors are those of mount(2):
// ENODEV if there is no such type, whatever the source is, and ENOTBLK if that is no device.
func (m *machine) openDiskNamed(fstype, source, options string, upper func() fs.FileSystem) (fs.FileSystem, error) {
	name, ok := strings.CutPrefix(path.Clean(source), "/dev/")
	b := m.blockDevice(name)
	if !ok || b == nil {
		_, err := openDisk(fstype, nil, 0, options, nil, nil)
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	f, err := openDisk(fstype, b, b.Size(), options, upper, func(err error) { m.fail(fmt.Errorf("%s: %w", name, err)) })
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
		m.fail(err)
	}
	return f, err
}

// mountedDisks are the disks that the settings have the kernel mount.
func (m *machine) mountedDisks() (list []fs.Share) {
	for _, name := range m.flags.disks() {
		at, err := strconv.Unquote(m.flags["disk."+name])
		switch {
		case err != nil:
			m.fail(fmt.Errorf("setting disk.%s=%s: not a quoted string", name, m.flags["disk."+name]))
			continue
		case openDisk == nil:
			m.fail(fmt.Errorf("%s is not mounted on %s: the image has no file systems of disks; build it with --mount-disk", name, at))
			continue
		}
		s := fs.Share{Tag: "/dev/" + name, Path: at, ReadOnly: true}
		var upper func() fs.FileSystem
		if m.flags["overlay."+name] != "" {
			s.ReadOnly = false
			upper = func() fs.FileSystem { return newTmpfs() }
		}
		if s.FS, err = m.openDiskNamed("auto", s.Tag, "", upper); err != nil {
			if m.blockDevice(name) == nil {
				m.fail(fmt.Errorf("mounting on %s: %w", at, err))
			}
			continue
		}
		list = append(list, s)
	}
	return list
}
