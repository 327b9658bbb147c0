package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// machineFlags are the options that say what machine a guest has.
type machineFlags struct {
	machine choice
	mem     memory
	cpus    cpus
}

func (f *machineFlags) add(set *pflag.FlagSet, mem string) {
	f.machine = choose(qemu.MicroVM, qemu.Q35)
	f.cpus = 1
	if err := f.mem.Set(mem); err != nil {
		panic(err) // a constant
	}
	set.Var(&f.machine, "machine", "machine type")
	set.Var(&f.mem, "mem", "memory: a number of MiB, or one with a unit such as 512M or 1.5G; 20M at least")
	set.Var(&f.cpus, "cpus", "number of CPUs")
}

// guestFlags are the options of every command that boots a guest.
type guestFlags struct {
	machineFlags
	accel   choice
	daemon  choice
	cache   choice
	tree    treeFlags
	disks   diskFlags
	mounts  diskMountFlags
	net     netFlags
	env     envFlags
	extra   []string
	verbose bool
}

func (f *guestFlags) add(set *pflag.FlagSet, mem, publish string) {
	f.machineFlags.add(set, mem)
	f.accel = choose(qemu.Auto, qemu.KVM, qemu.TCG)
	f.daemon = choose(qemu.AutoDaemon, qemu.Virtiofsd, qemu.Builtin)
	f.cache = choose(qemu.CacheAuto, qemu.CacheNone)
	set.Var(&f.accel, "accel", "acceleration")
	set.Var(&f.daemon, "daemon", "virtio-fs server")
	set.Var(&f.cache, "cache", "changes on the host are seen after a second (auto) or at once (none)")
	f.tree.add(set)
	f.disks.add(set)
	f.mounts.add(set)
	f.net.add(set, publish)
	f.env.add(set)
	set.StringArrayVar(&f.extra, "qemu-arg", nil, "further argument of QEMU, such as -device and its value, one after the other (repeatable)")
}

// fill puts the options into o, with the shares of the tree, whose root is
// defaultRoot if the options name none.
func (f *guestFlags) fill(o *qemu.Options, defaultRoot string) (err error) {
	o.Machine, o.Accel = qemu.Machine(f.machine.value), qemu.Accel(f.accel.value)
	o.Daemon, o.Cache = qemu.Daemon(f.daemon.value), qemu.Cache(f.cache.value)
	o.CPUs, o.Memory = int(f.cpus), f.mem.bytes
	o.Extra = f.extra
	if f.verbose {
		o.Trace = os.Stderr
	}
	if o.Shares, err = f.tree.shares(defaultRoot); err != nil {
		return err
	}
	o.Disks, o.DiskMounts = f.disks.list, f.mounts.list
	if err := checkHostname(f.net.hostname); err != nil {
		return err
	}
	o.Hostname = f.net.hostname
	o.Network, err = f.net.network()
	return err
}

// check finds out before anything is built or booted whether the guest's tree
// can be made, with what the image carries.
func check(o *qemu.Options, own carried) error {
	if err := checkRoom(o); err != nil {
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
		if err := checkDiskMounts(o.DiskMounts, len(o.Disks)); err != nil {
			return err
		}
	}
	mounts := slices.Clone(o.DiskMounts)
	for _, m := range own.mounts {
		if !slices.ContainsFunc(o.DiskMounts, func(n qemu.DiskMount) bool { return n.Name == m.Name }) {
			mounts = append(mounts, m)
		}
	}
	t, err := newGuestTree(o.Shares, mounts, own.root)
	if err != nil {
		return err
	}
	return t.checkDir(o.Dir)
}

// checkRoom finds out whether the machine has room for its devices.
func checkRoom(o *qemu.Options) error {
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

// accelerate decides how the guest's instructions are run, and says on notes
// when it has to do without KVM.
func accelerate(ctx context.Context, o *qemu.Options, notes io.Writer) (err error) {
	var reason string
	o.Accel, reason, err = qemu.ChooseAccel(ctx, o.Accel, o.Machine, o.Trace)
	if reason != "" {
		fmt.Fprintf(notes, "yolk: no KVM here, yolk doctor tells why: the guest runs under TCG, which is slower\n")
	}
	return err
}
