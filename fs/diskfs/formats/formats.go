// Package formats has the file systems of disks that can be mounted, by their names.
package formats

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/erofs"
	"github.com/yolkos/yolk/fs/diskfs/ext4"
	"github.com/yolkos/yolk/fs/diskfs/squashfs"
	"github.com/yolkos/yolk/fs/iofs"
)

// format opens a file system, with options of mount(8) that are its own.
type format struct {
	name string
	open func(d diskfs.Disk, options []string) (diskfs.Volume, error)
}

var formats = []format{
	{"ext4", openExt4},
	{"squashfs", func(d diskfs.Disk, o []string) (diskfs.Volume, error) { return orNone(squashfs.Open(d))(o) }},
	{"erofs", func(d diskfs.Disk, o []string) (diskfs.Volume, error) { return orNone(erofs.Open(d))(o) }},
}

// aliasOf is the type whose reader takes care of another one, as on Linux.
func aliasOf(name string) string {
	if name == "ext2" || name == "ext3" {
		return "ext4"
	}
	return ""
}

// Auto has Open find out the type.
const Auto = "auto"

// Names are the types that there are.
func Names() []string {
	var list []string
	for _, f := range formats {
		list = append(list, f.name)
	}
	return append(list, "ext2", "ext3")
}

func openExt4(d diskfs.Disk, options []string) (diskfs.Volume, error) {
	noload := false
	for _, o := range options {
		if o != "noload" && o != "norecovery" {
			return nil, fmt.Errorf("mount option %q: there are noload and norecovery: %w", o, syscall.EINVAL)
		}
		noload = true
	}
	return orNone(ext4.Open(d, noload))(nil)
}

// orNone makes the answer of a format of a concrete type an interface, and refuses options.
func orNone[V diskfs.Volume](v V, err error) func(options []string) (diskfs.Volume, error) {
	return func(options []string) (diskfs.Volume, error) {
		switch {
		case err != nil:
			return nil, err
		case len(options) > 0:
			return nil, fmt.Errorf("mount option %q: there are none: %w", options[0], syscall.EINVAL)
		}
		return v, nil
	}
}

// Open makes what can be mounted of a disk. Options are those of mount(2), separated by
// commas; ro is one. Note is told what is found wrong later. ENODEV: there is no such type. ENOTBLK: there is no
// disk (d.R is nil), which comes second, as in mount(2).
func Open(name string, d diskfs.Disk, options string, note func(error)) (_ fs.FileSystem, err error) {
	var list []string
	for _, o := range strings.Split(options, ",") {
		if o != "" && o != "ro" {
			list = append(list, o)
		}
	}
	found := false
	for _, f := range formats {
		alias := aliasOf(name)
		if name != Auto && name != f.name && alias != f.name {
			continue
		}
		if d.R == nil {
			return nil, fmt.Errorf("no disk or partition: %w", syscall.ENOTBLK)
		}
		found = true
		v, err := open(f, d, list, note)
		switch {
		case errors.Is(err, diskfs.ErrMagic) && name == Auto:
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		shown := f.name
		if alias != "" {
			shown = name
		}
		return mountable(v, shown, note)
	}
	if !found {
		return nil, fmt.Errorf("file system type %q: there are %s: %w", name, strings.Join(Names(), ", "), syscall.ENODEV)
	}
	return nil, fmt.Errorf("no file system of %s: %w", strings.Join(Names(), ", "), syscall.EINVAL)
}

func open(f format, d diskfs.Disk, options []string, note func(error)) (v diskfs.Volume, err error) {
	defer diskfs.Guard(&err, note)
	return f.open(d, options)
}

func mountable(v diskfs.Volume, name string, note func(error)) (fs.FileSystem, error) {
	f, err := iofs.New(diskfs.New(v, note), iofs.Options{Type: name, Magic: v.Magic(), Bytes: v.Bytes(), Files: v.Files()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}
