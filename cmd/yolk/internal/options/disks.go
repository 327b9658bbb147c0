package options

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// Disks are the options --disk.
type Disks struct {
	List  []qemu.Disk
	words []string
}

// Add defines the option in set.
func (f *Disks) Add(set *pflag.FlagSet) {
	set.Var(f, "disk", "FILE[:ro]: a file or block device that is a disk in the guest, /dev/vda and so on (repeatable); its format is raw, of FILE.qcow2 qcow2")
}

// Set implements pflag.Value.
func (f *Disks) Set(s string) error {
	d := qemu.Disk{Path: s, Format: qemu.Raw}
	if path, ok := strings.CutSuffix(s, ":ro"); ok {
		d.Path, d.ReadOnly = path, true
	} else if path, ok := strings.CutSuffix(s, ":rw"); ok {
		d.Path = path
	}
	if d.Path == "" {
		return fmt.Errorf("want FILE or FILE:ro")
	}
	if strings.HasSuffix(d.Path, ".qcow2") {
		d.Format = qemu.QCOW2
	}
	f.List, f.words = append(f.List, d), append(f.words, s)
	return nil
}

func (f *Disks) given() []string { return f.words }

// String implements pflag.Value.
func (f *Disks) String() string { return "" }

// Type implements pflag.Value.
func (f *Disks) Type() string { return "file" }

// DiskMounts are the options --mount-disk.
type DiskMounts struct {
	List  []qemu.DiskMount
	words []string
}

// Add defines the option in set.
func (f *DiskMounts) Add(set *pflag.FlagSet) {
	set.Var(f, "mount-disk", "NAME:/guest/path[:overlay]: what is on the disk or partition NAME, as vda or vdb1, is mounted there, read-only or with changes in memory (repeatable)")
}

// diskName is a disk or partition as the guest has it in /dev.
var diskName = regexp.MustCompile(`^vd[a-z]([1-9][0-9]{0,2})?$`)

// Set implements pflag.Value.
func (f *DiskMounts) Set(s string) error {
	text, over := strings.CutSuffix(s, ":overlay")
	name, at, ok := strings.Cut(text, ":")
	switch {
	case !ok || !diskName.MatchString(name):
		return fmt.Errorf("want NAME:/guest/path or NAME:/guest/path:overlay, of the disk or partition NAME: vda, vdb1")
	case !path.IsAbs(at) || strings.ContainsAny(at, "\x00\n"):
		return fmt.Errorf("%q: want an absolute path of the guest", at)
	}
	at = path.Clean(at)
	if slices.Contains(KernelDirs, at) {
		return fmt.Errorf("the guest has a %s of its own; mount it elsewhere, or below %[1]s", at)
	}
	for _, m := range f.List {
		if m.Name == name {
			return fmt.Errorf("%s is mounted on %s already", name, m.Path)
		}
		if m.Path == at {
			return fmt.Errorf("%s is taken by %s", at, m.Name)
		}
	}
	f.List, f.words = append(f.List, qemu.DiskMount{Name: name, Path: at, Overlay: over}), append(f.words, s)
	return nil
}

func (f *DiskMounts) given() []string { return f.words }

// CheckDiskMounts finds out whether a guest with a number of disks has those that are to be mounted.
// Which partitions they have it does not look at.
func CheckDiskMounts(list []qemu.DiskMount, disks int) error {
	for _, m := range list {
		switch last := rune('a' + disks - 1); {
		case disks == 0:
			return fmt.Errorf("--mount-disk %s:%s: the guest has no disks; --disk gives it one", m.Name, m.Path)
		case rune(m.Name[2]) > last:
			return fmt.Errorf("--mount-disk %s:%s: the guest has no such disk; the last --disk is vd%c", m.Name, m.Path, last)
		}
	}
	return nil
}

// String implements pflag.Value.
func (f *DiskMounts) String() string { return "" }

// Type implements pflag.Value.
func (f *DiskMounts) Type() string { return "mount" }
