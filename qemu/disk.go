package qemu

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// DiskFormat is how the bytes of a disk lie in its file.
type DiskFormat string

// The formats. A file is never looked at to find out: a guest can write what it likes
// to the start of a raw one.
const (
	Raw   DiskFormat = "raw"
	QCOW2 DiskFormat = "qcow2"
)

// Disk is a file of the host, or a block device, that is a disk in the guest.
type Disk struct {
	Path     string
	Format   DiskFormat
	ReadOnly bool
}

// DiskMount says where the guest's kernel mounts what is on a disk or partition.
type DiskMount struct {
	Name    string // in /dev: vda, vdb2
	Path    string // absolute
	Overlay bool   // changes are taken, and go into the guest's memory
}

// Settings are the lines for the guest's kernel.
func (m DiskMount) Settings() string {
	lines := fmt.Sprintf("disk.%s=%q\n", m.Name, m.Path)
	if m.Overlay {
		lines += fmt.Sprintf("overlay.%s=1\n", m.Name)
	}
	return lines
}

// ParseDiskMounts returns the mounts that lines of settings tell, as Settings makes them. Lines that are
// not of this kind are others' settings.
func ParseDiskMounts(settings string) (list []DiskMount) {
	values := map[string]string{}
	for line := range strings.Lines(settings) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		values[key] = value
	}
	for key, value := range values {
		name, ok := strings.CutPrefix(key, "disk.")
		at, err := strconv.Unquote(value)
		if ok && err == nil {
			list = append(list, DiskMount{name, at, values["overlay."+name] != ""})
		}
	}
	slices.SortFunc(list, func(a, b DiskMount) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// DiskFD is a virtio block device. Its file is opened again, by the descriptor's name.
type DiskFD struct {
	FD       int
	Name     string // in the guest, "vda": its serial number
	Device   bool   // the file is a block device
	Format   DiskFormat
	ReadOnly bool
}

// Check finds out whether d can be opened.
func (d Disk) Check() error {
	f, _, err := d.open()
	if err == nil {
		f.Close()
	}
	return err
}

func (d Disk) open() (f *os.File, device bool, err error) {
	mode := os.O_RDWR
	if d.ReadOnly {
		mode = os.O_RDONLY
	}
	if f, err = os.OpenFile(d.Path, mode, 0); err != nil {
		return nil, false, fmt.Errorf("disk: %w", err)
	}
	i, err := f.Stat()
	if err == nil {
		switch device = i.Mode()&os.ModeDevice != 0 && i.Mode()&os.ModeCharDevice == 0; {
		case !device && !i.Mode().IsRegular():
			err = fmt.Errorf("disk %s: not a file or block device", d.Path)
		case !device && d.Format == Raw && (i.Size() == 0 || i.Size()%512 != 0):
			err = fmt.Errorf("disk %s: %d bytes: a disk has a multiple of 512", d.Path, i.Size())
		}
	}
	if err != nil {
		f.Close()
		return nil, false, err
	}
	return f, device, nil
}

// addDisks opens the disks for QEMU.
func (g *guest) addDisks() error {
	for i, d := range g.o.Disks {
		f, device, err := d.open()
		if err != nil {
			return err
		}
		g.config.Disks = append(g.config.Disks, DiskFD{g.files.add(f), "vd" + string(rune('a'+i)), device, d.Format, d.ReadOnly})
	}
	return nil
}

// diskDevices are QEMU's arguments for the disks, which are numbered in their order.
func (c *Config) diskDevices() (args []string) {
	for i, d := range c.Disks {
		n, driver, readOnly := strconv.Itoa(i), "file", "off"
		if d.Device {
			driver = "host_device"
		}
		if d.ReadOnly {
			readOnly = "on"
		}
		options := ",read-only=" + readOnly + ",discard=unmap"
		args = append(args,
			"-blockdev", "driver="+driver+",node-name=file"+n+",filename="+fdPath(d.FD)+options,
			"-blockdev", "driver="+string(d.Format)+",node-name=disk"+n+",file=file"+n+options,
			"-device", c.device("virtio-blk")+",drive=disk"+n+",serial="+d.Name+",num-queues="+strconv.Itoa(min(max(c.CPUs, 1), 8)))
	}
	return args
}
