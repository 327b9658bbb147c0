package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// diskFlags are the options --disk.
type diskFlags struct{ list []qemu.Disk }

func (f *diskFlags) add(set *pflag.FlagSet) {
	set.Var(f, "disk", "FILE[:ro]: a file or block device that is a disk in the guest, /dev/vda and so on (repeatable); its format is raw, of FILE.qcow2 qcow2")
}

// Set implements pflag.Value.
func (f *diskFlags) Set(s string) error {
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
	f.list = append(f.list, d)
	return nil
}

// String implements pflag.Value.
func (f *diskFlags) String() string { return "" }

// Type implements pflag.Value.
func (f *diskFlags) Type() string { return "file" }
