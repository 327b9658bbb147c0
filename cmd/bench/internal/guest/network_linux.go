//go:build linux && !tamago

package guest

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// StartNetwork gives the interfaces of a Linux guest what Yolk's kernel gives its own:
// lo is up, and eth0 has the address of a subnet of 24 bits, if there is one.
func StartNetwork(address netip.Addr) error {
	if os.Getpid() != 1 {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	type step struct {
		name    string
		request uint
		set     func(*unix.Ifreq) error
	}
	steps := []step{{"lo", unix.SIOCSIFFLAGS, up}}
	if address.IsValid() {
		a := address.As4()
		steps = append(steps,
			step{"eth0", unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(a[:]) }},
			step{"eth0", unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
			step{"eth0", unix.SIOCSIFFLAGS, up})
	}
	for _, step := range steps {
		r, err := unix.NewIfreq(step.name)
		if err == nil {
			err = step.set(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, step.request, r)
		}
		if err != nil {
			return fmt.Errorf("interface %s, request %#x: %w", step.name, step.request, err)
		}
	}
	return nil
}

func up(r *unix.Ifreq) error {
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return nil
}
