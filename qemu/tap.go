package qemu

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openTap opens as many queues of a tap device as it has, up to want. Frames have
// virtio's header before them (Documentation/networking/tuntap.rst of Linux).
func openTap(name string, want int) ([]*os.File, error) {
	first, err := openTapQueue(name, unix.IFF_MULTI_QUEUE)
	if errors.Is(err, syscall.EINVAL) { // it was made with one queue
		first, err = openTapQueue(name, 0)
		want = 1
	}
	if err != nil {
		return nil, tapError(name, err)
	}
	queues := []*os.File{first}
	for len(queues) < want {
		q, err := openTapQueue(name, unix.IFF_MULTI_QUEUE)
		if err != nil {
			break // it has no more
		}
		queues = append(queues, q)
	}
	return queues, nil
}

func openTapQueue(name string, flags uint16) (*os.File, error) {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no name of a network device", name)
	}
	// TUNSETIFF would make one that is not there.
	if _, err := net.InterfaceByName(name); err != nil {
		return nil, syscall.ENODEV
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR | flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, r); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// tapError says what can be done about a tap device that cannot be had.
func tapError(name string, err error) error {
	create := fmt.Sprintf("ip tuntap add mode tap user %d name %s && ip link set %[2]s up", os.Getuid(), name)
	switch {
	case errors.Is(err, syscall.ENODEV):
		return fmt.Errorf("--net tap=%s: there is no such device; root makes one with: %s", name, create)
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("--net tap=%s: it is not this user's; root makes one that is with: %s", name, create)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("--net tap=%s: another program has it", name)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("--net tap=%s: it is no tap device", name)
	}
	return fmt.Errorf("--net tap=%s: %w", name, err)
}

// CheckTap reports why a tap device cannot be used.
func CheckTap(name string) error {
	queues, err := openTap(name, 1)
	for _, q := range queues {
		q.Close()
	}
	return err
}
