//go:build tamago

package kernel

import (
	"fmt"
	"strconv"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtioblk"
	"github.com/yolkos/yolk/fs/blockdev"
)

// Device numbers of disks, as Linux mostly has them: each has 16, itself and its
// partitions.
const (
	diskMajor  = 254
	diskMinors = 16
	maxDisks   = 26 // vda to vdz
)

// disk is a virtio block device.
type disk struct {
	name   string // "vda"
	dev    *virtioblk.Disk
	whole  *blockdev.Device
	parts  []blockdev.Partition
	byName map[string]*blockdev.Device // what is in /dev of it
}

// startDisk starts a block device.
func (m *machine) startDisk(t virtio.Transport) error {
	if m.arena == nil {
		return fmt.Errorf("%s: no memory for devices", t.Name())
	}
	dev, err := virtioblk.Open(t, m.arena, m.fail, nil)
	if err != nil {
		return err
	}
	m.disks = append(m.disks, &disk{dev: dev, whole: blockdev.New(dev)})
	return nil
}

// addDisks puts the disks and their partitions into /dev. A disk whose serial number is
// such a name, as the launcher gives it, has that; others get the next that is free, in
// the order in which they were found.
func (m *machine) addDisks() {
	taken := make(map[string]bool)
	names := make([]string, maxDisks)
	for i := range names {
		names[i] = "vd" + string(rune('a'+i))
	}
	for _, d := range m.disks {
		for _, name := range names {
			if d.dev.Serial() == name && !taken[name] {
				d.name, taken[name] = name, true
			}
		}
	}
	for _, d := range m.disks {
		for i, name := range names {
			if d.name == "" && !taken[name] {
				d.name, taken[name] = name, true
			}
			if d.name == name {
				m.addDisk(d, uint64(i*diskMinors))
			}
		}
		if d.name == "" {
			m.fail(fmt.Errorf("%s: not used: there are names for %d disks", d.dev.Name(), maxDisks))
		}
	}
}

// diskMode lets root read and write, as elsewhere.
const diskMode = 0o660

func (m *machine) addDisk(d *disk, minor uint64) {
	m.logf("%s: %v", d.name, d.dev)
	m.dev.AddBlockDevice(d.name, diskMode, diskMajor, minor, d.whole.Open)
	d.byName = map[string]*blockdev.Device{d.name: d.whole}
	parts, err := blockdev.Partitions(d.whole, d.whole.Size(), d.dev.BlockSize())
	if err != nil {
		m.fail(fmt.Errorf("%s: %w", d.name, err))
	}
	for _, p := range parts {
		b, err := d.whole.Part(p.Start, p.Size)
		if err != nil {
			m.fail(fmt.Errorf("%s: partition %d: %d bytes at %d: %w", d.name, p.Number, p.Size, p.Start, err))
			continue
		}
		d.parts = append(d.parts, p)
		name := d.name + strconv.Itoa(p.Number)
		d.byName[name] = b
		m.dev.AddBlockDevice(name, diskMode, diskMajor, minor+uint64(p.Number), b.Open)
	}
	m.dev.OnSync(d.dev.Flush)
}

// appendPartitions makes /proc/partitions: sizes in KiB.
func (m *machine) appendPartitions(b []byte) []byte {
	if len(m.disks) == 0 {
		return b
	}
	b = append(b, "major minor  #blocks  name\n\n"...)
	for _, d := range m.disks {
		if d.name == "" {
			continue
		}
		minor := int(d.name[2]-'a') * diskMinors
		b = fmt.Appendf(b, "%4d  %7d %10d %s\n", diskMajor, minor, d.whole.Size()/1024, d.name)
		for _, p := range d.parts {
			b = fmt.Appendf(b, "%4d  %7d %10d %s%d\n", diskMajor, minor+p.Number, p.Size/1024, d.name, p.Number)
		}
	}
	return b
}
