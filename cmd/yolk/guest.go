package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// guestFlags are the options of every command that boots a guest.
type guestFlags struct {
	machine string
	accel   string
	mem     string
	cpus    int
	daemon  string
	cache   string
	verbose bool
}

func (f *guestFlags) add(set *pflag.FlagSet, mem string) {
	set.StringVar(&f.machine, "machine", string(qemu.MicroVM), "machine type: microvm or q35")
	set.StringVar(&f.accel, "accel", string(qemu.Auto), "acceleration: auto, kvm or tcg")
	set.StringVar(&f.mem, "mem", mem, "memory, 64M at least")
	set.IntVar(&f.cpus, "cpus", 1, "number of CPUs")
	set.StringVar(&f.daemon, "daemon", string(qemu.AutoDaemon), "virtio-fs server: auto, virtiofsd or builtin")
	set.StringVar(&f.cache, "cache", string(qemu.CacheAuto), "changes on the host are seen after a second (auto) or at once (none)")
}

// fill checks the options and puts them into o. It proves the acceleration,
// and says on notes when the guest has to do without.
func (f *guestFlags) fill(ctx context.Context, o *qemu.Options, notes io.Writer) (err error) {
	o.Machine, o.Accel = qemu.Machine(f.machine), qemu.Accel(f.accel)
	o.Daemon, o.Cache = qemu.Daemon(f.daemon), qemu.Cache(f.cache)
	if err := errors.Join(
		oneOf("machine", f.machine, qemu.MicroVM, qemu.Q35),
		oneOf("accel", f.accel, qemu.Auto, qemu.KVM, qemu.TCG),
		oneOf("daemon", f.daemon, qemu.AutoDaemon, qemu.Virtiofsd, qemu.Builtin),
		oneOf("cache", f.cache, qemu.CacheAuto, qemu.CacheNone),
	); err != nil {
		return err
	}
	if f.cpus < 1 || f.cpus > qemu.MaxCPUs {
		return fmt.Errorf("--cpus %d: want 1 to %d", f.cpus, qemu.MaxCPUs)
	}
	o.CPUs = f.cpus
	if o.Memory, err = qemu.ParseMemory(f.mem); err != nil {
		return err
	}
	if f.verbose {
		o.Trace = os.Stderr
	}
	var reason string
	o.Accel, reason, err = qemu.ChooseAccel(ctx, o.Accel, o.Machine, o.Trace)
	if reason != "" {
		fmt.Fprintf(notes, "yolk: no KVM here, yolk doctor tells why: the guest runs under TCG, which is slower\n")
	}
	return err
}

func oneOf[T ~string](flag, value string, allowed ...T) error {
	if slices.Contains(allowed, T(value)) {
		return nil
	}
	return fmt.Errorf("--%s %q: want one of %v", flag, value, allowed)
}

// environment makes the guest's environment from --env options: K=V, or K
// for the value that the host has.
func environment(options []string) ([]string, error) {
	var env []string
	for _, o := range options {
		key, _, given := strings.Cut(o, "=")
		if key == "" {
			return nil, fmt.Errorf("--env %q: want NAME=VALUE, or NAME for the host's value", o)
		}
		if given {
			env = append(env, o)
		} else if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env, nil
}

// statusFailed is yolk's status when it could not run a program, or the
// program's machine failed; statusTimeout when the time limit ended it. Both
// are those of timeout(1).
const (
	statusTimeout = 124
	statusFailed  = 125
)

// boot runs a guest with this process's streams and returns an error that
// carries its exit status.
func boot(ctx context.Context, o *qemu.Options) error {
	o.Self = []string{"/proc/self/exe", serveCommand}
	o.Stdin, o.Stdout, o.Stderr, o.Console, o.Notes = os.Stdin, os.Stdout, os.Stderr, os.Stderr, os.Stderr
	status, err := qemu.Run(ctx, o)
	var signal *signalError
	switch {
	case errors.Is(err, qemu.ErrTimeout):
		fmt.Fprintf(os.Stderr, "yolk: ended after %v, the time limit\n", o.Timeout.Round(time.Millisecond))
		return exitStatus(statusTimeout)
	case errors.As(err, &signal):
		return exitStatus(128 + int(signal.sig))
	case err != nil:
		fmt.Fprintln(os.Stderr, "yolk:", err)
		return exitStatus(statusFailed)
	case status != 0:
		return exitStatus(status)
	}
	return nil
}
