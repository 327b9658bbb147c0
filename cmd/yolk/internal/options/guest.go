// Package options is what the command line says of a guest: of its machine, shares, disks,
// network, environment and program. Each group of options is a type that defines them, checks
// them and puts them into what package qemu takes.
package options

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// Machine are the options that say what machine a guest has.
type Machine struct {
	Type   Choice
	Memory Memory
	CPUs   CPUs
}

// Add defines the options in set; mem is the memory without one.
func (f *Machine) Add(set *pflag.FlagSet, mem string) {
	f.Type = Choose(qemu.MicroVM, qemu.Q35)
	f.CPUs = 1
	if err := f.Memory.Set(mem); err != nil {
		panic(err) // a constant
	}
	set.Var(&f.Type, "machine", "machine type")
	set.Var(&f.Memory, "mem", "memory: a number of MiB, or one with a unit such as 512M or 1.5G; 20M at least")
	set.Var(&f.CPUs, "cpus", "number of CPUs")
}

// Guest are the options of every command that boots a guest.
type Guest struct {
	Machine
	accel   Choice
	daemon  Choice
	cache   Choice
	Tree    Shares
	disks   Disks
	mounts  DiskMounts
	net     Network
	Env     Env
	extra   []string
	Verbose bool
	set     *pflag.FlagSet
}

// Add defines the options in set; mem is the memory without one, and publish the short name of
// --publish, if it has one.
func (f *Guest) Add(set *pflag.FlagSet, mem, publish string) {
	f.set = set
	f.Machine.Add(set, mem)
	f.accel = Choose(qemu.Auto, qemu.KVM, qemu.TCG)
	f.daemon = Choose(qemu.AutoDaemon, qemu.Virtiofsd, qemu.Builtin)
	f.cache = Choose(qemu.CacheAuto, qemu.CacheNone)
	set.Var(&f.accel, "accel", "acceleration")
	set.Var(&f.daemon, "daemon", "virtio-fs server")
	set.Var(&f.cache, "cache", "changes on the host are seen after a second (auto) or at once (none)")
	f.Tree.Add(set)
	f.disks.Add(set)
	f.mounts.Add(set)
	f.net.Add(set, publish)
	f.Env.Add(set)
	set.StringArrayVar(&f.extra, "qemu-arg", nil, "further argument of QEMU, such as -device and its value, one after the other (repeatable)")
}

// Fill puts the options into o, with the shares of the tree, whose root is
// defaultRoot if the options name none.
func (f *Guest) Fill(o *qemu.Options, defaultRoot string) (err error) {
	o.Machine, o.Accel = qemu.Machine(f.Type.Value), qemu.Accel(f.accel.Value)
	o.Daemon, o.Cache = qemu.Daemon(f.daemon.Value), qemu.Cache(f.cache.Value)
	o.CPUs, o.Memory = int(f.CPUs), f.Memory.Bytes
	o.Extra = f.extra
	if f.Verbose {
		o.Trace = os.Stderr
	}
	if o.Shares, err = f.Tree.shares(defaultRoot); err != nil {
		return err
	}
	o.Disks, o.DiskMounts = f.disks.List, f.mounts.List
	if err := CheckHostname(f.net.Hostname); err != nil {
		return err
	}
	o.Hostname = f.net.Hostname
	o.Network, err = f.net.QEMU()
	return err
}

// ofHost are the options whose values begin with the name of a file or directory of the host.
var ofHost = []string{"root", "mount", "disk", "env-file", "pcap"}

// Words are the options as they were given, for another yolk, which may run in another
// directory. What that one says is not for the user: it is not verbose.
func (f *Guest) Words() (list []string, err error) {
	given(f.set, func(option, value string) {
		if option == "verbose" {
			return
		}
		if slices.Contains(ofHost, option) {
			abs, e := filepath.Abs(value)
			value, err = abs, errors.Join(err, e)
		}
		list = append(list, "--"+option+"="+value)
	})
	return list, err
}

// Decide says how the guest is accelerated, also to whom Words are for.
func (f *Guest) Decide(a qemu.Accel) error { return f.set.Set("accel", string(a)) }

// Check finds out before anything is built or booted whether the guest's tree
// can be made, with what the image carries.
func Check(o *qemu.Options, own Carried) error {
	if err := CheckRoom(o); err != nil {
		return err
	}
	for _, s := range o.Shares {
		if err := s.Check(); err != nil {
			return err
		}
	}
	for _, d := range o.Disks {
		if err := d.Check(); err != nil {
			return err
		}
	}
	if len(o.Extra) == 0 { // QEMU's own options may make disks as well
		if err := CheckDiskMounts(o.DiskMounts, len(o.Disks)); err != nil {
			return err
		}
	}
	mounts := slices.Clone(o.DiskMounts)
	for _, m := range own.Mounts {
		if !slices.ContainsFunc(o.DiskMounts, func(n qemu.DiskMount) bool { return n.Name == m.Name }) {
			mounts = append(mounts, m)
		}
	}
	t, err := newGuestTree(o.Shares, mounts, own.Root)
	if err != nil {
		return err
	}
	return t.checkDir(o.Dir)
}

// CheckRoom finds out whether the machine has room for its devices.
func CheckRoom(o *qemu.Options) error {
	network := o.Network.Backend == qemu.UserNetwork || o.Network.Backend == qemu.TapNetwork
	most := qemu.MaxShares(o.Machine, len(o.Disks), network)
	if len(o.Shares) <= most {
		return nil
	}
	with, hint := "", ""
	switch {
	case network && len(o.Disks) > 0:
		with = fmt.Sprintf(" beside the network and %d disks", len(o.Disks))
	case network:
		with = " beside the network"
	case len(o.Disks) > 0:
		with = fmt.Sprintf(" beside %d disks", len(o.Disks))
	}
	if best := qemu.MaxShares(qemu.Q35, len(o.Disks), network); o.Machine != qemu.Q35 && len(o.Shares) <= best {
		hint = fmt.Sprintf("; --machine %s takes %d", qemu.Q35, best)
	}
	return fmt.Errorf("%d directories to share, and a %s has room for %d%s%s", len(o.Shares), o.Machine, max(most, 0), with, hint)
}
