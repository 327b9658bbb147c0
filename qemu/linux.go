package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// LinuxOptions is what it takes to boot a Linux guest on the machine that a
// Yolk guest would get, to compare the two.
type LinuxOptions struct {
	Kernel  string // file with the kernel
	Initrd  string // file with its initial file system
	Append  string // command line of the kernel
	Machine Machine
	Accel   Accel
	Memory  uint64 // bytes
	CPUs    int    // 0: one
	Count   bool   // as of Config
	Share   Share
	Cache   Cache         // or another mode of virtiofsd: always
	Network Network       // none, or UserNetwork
	SelfNet []string      // as of Options
	Extra   []string      // arguments of QEMU's own
	Timeout time.Duration // 0: none
	Console io.Writer     // first serial port
	Trace   io.Writer     // the commands that are run; nil: not shown
}

// RunLinux boots the guest and returns when it has powered off or reset
// itself. It needs virtiofsd.
func RunLinux(ctx context.Context, o *LinuxOptions) error {
	path, err := FindQEMU()
	if err != nil {
		return err
	}
	srv, _, err := chooseServer(Virtiofsd)
	if err != nil {
		return err
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, ErrTimeout)
		defer cancel()
	}
	listener, client, err := listenPair()
	if err != nil {
		return fmt.Errorf("socket for virtiofsd: %w", err)
	}
	var forServer, forQEMU descriptors
	defer forQEMU.close()
	c := Config{
		Machine: o.Machine, Accel: o.Accel, Memory: o.Memory, CPUs: o.CPUs, Count: o.Count, Kernel: o.Kernel, Append: o.Append, Extra: o.Extra,
		Shares: []ShareFD{{Tag: o.Share.Tag, FD: forQEMU.add(client)}},
	}
	if o.Network.there() {
		p, socket, keep, err := serveNetwork(&o.Network, o.SelfNet, o.Trace, o.Trace)
		if err != nil {
			return err
		}
		defer p.kill()
		defer keep.Close()
		c.Net = &NetDevice{MAC: o.Network.MAC, Stream: forQEMU.add(socket), MTU: o.Network.User.MTU}
	}
	srv.cache = o.Cache
	args := withoutXattr(srv.args(o.Share.Dir, forServer.add(listener)))
	server, err := start(srv.path, args, &forServer, o.Trace, o.Trace)
	if err != nil {
		return err
	}
	defer server.kill()
	ours, theirs, err := pair()
	if err != nil {
		return err
	}
	defer ours.Close()
	c.Console = forQEMU.add(theirs)
	q, err := start(path, c.linuxArgs(o.Initrd), &forQEMU, o.Trace, o.Trace)
	if err != nil {
		return err
	}
	defer q.kill()
	copied := make(chan struct{})
	go func() {
		copyOutput(o.Console, ours)
		close(copied)
	}()
	select {
	case <-q.done:
		<-copied
		if q.err != nil {
			return q.end()
		}
		return nil
	case <-ctx.Done():
		q.kill()
		<-copied
		return context.Cause(ctx)
	case <-server.done:
		// It ends with QEMU, too.
		select {
		case <-q.done:
			<-copied
			return nil
		case <-time.After(grace):
		}
		return errors.Join(server.end(), errors.New("the virtio-fs server of a Linux guest is gone"))
	}
}

// withoutXattr takes extended attributes from the arguments of a server: a Linux
// guest would ask for one at every write.
func withoutXattr(args []string) []string {
	var list []string
	for _, a := range args {
		switch a {
		case "xattr":
			list = list[:len(list)-1] // its -o
		case "--xattr":
		default:
			list = append(list, a)
		}
	}
	return list
}

// linuxArgs is Args for a Linux kernel. Distributions' kernels do not take
// virtio devices from the command line, but from ACPI's tables.
func (c *Config) linuxArgs(initrd string) []string {
	args := c.Args()
	for i := range args {
		args[i] = strings.Replace(args[i], "acpi=off", "acpi=on", 1)
	}
	return append(args, "-initrd", initrd)
}
