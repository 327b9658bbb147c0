//go:build linux && !tamago

// Package guest makes a program that is process 1 of a Linux guest see what
// it would see in Yolk: the shared directory, mounted. Elsewhere it does
// nothing.
package guest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Names that the driver uses when it makes the initial file system.
const (
	ArgsFile  = "/bench.args" // arguments, each with a NUL byte at its end
	ModuleDir = "/modules"    // kernel modules
	MountDir  = "/share"      // where the directory with the tag "root" goes
)

// Start prepares a guest and returns the program's arguments without its name.
func Start() ([]string, error) {
	if os.Getpid() != 1 {
		return os.Args[1:], nil
	}
	if err := loadModules(); err != nil {
		return nil, err
	}
	for _, m := range []struct{ source, target, kind string }{{"proc", "/proc", "proc"}, {"tmp", "/tmp", "tmpfs"}, {"root", MountDir, "virtiofs"}} {
		if err := os.Mkdir(m.target, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		if err := syscall.Mount(m.source, m.target, m.kind, 0, ""); err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	data, err := os.ReadFile(ArgsFile)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00"), nil
}

// loadModules loads what it can until nothing is left; a module needs those
// whose symbols it uses to be there before.
func loadModules() error {
	entries, err := os.ReadDir(ModuleDir)
	if err != nil {
		return err
	}
	for len(entries) > 0 {
		var later []os.DirEntry
		for _, e := range entries {
			if err = loadModule(ModuleDir + "/" + e.Name()); err != nil {
				later = append(later, e)
			}
		}
		if len(later) == len(entries) {
			return fmt.Errorf("module %s: %w", later[len(later)-1].Name(), err)
		}
		entries = later
	}
	return nil
}

func loadModule(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

// Disk returns the disk that the guest has.
func Disk() (string, error) {
	if os.Getpid() == 1 {
		if err := syscall.Mount("dev", "/dev", "devtmpfs", 0, ""); err != nil {
			return "", fmt.Errorf("mount /dev: %w", err)
		}
	}
	return "/dev/vda", nil
}

// Direct is what opens a disk past the page cache.
const Direct = syscall.O_DIRECT

// Waits returns what a Linux guest has waited.
func Waits() (Waiting, error) {
	if os.Getpid() != 1 {
		return Waiting{}, nil
	}
	text, err := os.ReadFile("/proc/timer_list")
	if err != nil {
		return Waiting{}, err
	}
	return linuxWaiting(string(text))
}

// Stages returns none: Linux has no time stamps of its own.
func Stages() []Stage { return nil }

// Exit ends the program and the guest.
func Exit(status int) {
	if os.Getpid() == 1 {
		_ = unix.IoctlSetInt(1, unix.TCSBRK, 1)        // tcdrain: what is written gets out first
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // QEMU ends
	}
	os.Exit(status)
}
