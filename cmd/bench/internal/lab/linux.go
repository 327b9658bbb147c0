package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/qemu"
)

// KernelPackage is the Debian package that always depends on the present cloud
// kernel's.
const KernelPackage = "linux-image-cloud-amd64"

// modulesOf names the modules that a guest needs to mount virtio-fs, for a network, and for its disk.
// What a kernel has built in is no file.
func modulesOf(s *System) []string {
	bus := []string{"virtio_mmio"}
	if s.Machine == qemu.Q35 {
		bus = []string{"virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"}
	}
	list := slices.Concat([]string{"virtio_ring", "virtio"}, bus, []string{"fuse", "virtiofs", "failover", "net_failover", "virtio_net"})
	if s.Disk != "" {
		list = append(list, "virtio_blk")
	}
	return list
}

// Linux is an unpacked kernel package.
type Linux struct {
	Kernel  string // file
	Version string

	modules map[string]string // files by their names
}

// fetchLinux gets the kernel package from the system's package sources, without
// installing it, unless the cache has one already.
func fetchLinux(ctx context.Context, cache string) (*Linux, error) {
	dir := filepath.Join(cache, "linux")
	if l, err := findLinux(dir); err == nil {
		return l, nil
	}
	tmp, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	meta, err := download(ctx, tmp, KernelPackage)
	if err != nil {
		return nil, err
	}
	depends, err := Output(ctx, tmp, "dpkg-deb", "-f", meta, "Depends")
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(depends, " ") // "linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)"
	deb, err := download(ctx, tmp, name)
	if err != nil {
		return nil, err
	}
	if _, err := Output(ctx, tmp, "dpkg-deb", "-x", deb, filepath.Join(tmp, "linux")); err != nil {
		return nil, err
	}
	if err := os.Rename(filepath.Join(tmp, "linux"), dir); err != nil {
		return nil, err
	}
	return findLinux(dir)
}

// download returns the name of a package's file in dir.
func download(ctx context.Context, dir, name string) (string, error) {
	if _, err := Output(ctx, dir, "apt-get", "download", "-qq", name); err != nil {
		return "", fmt.Errorf("%w (a system with Debian's packages is needed, and apt-get update)", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("apt-get download %s left %q (%v)", name, files, err)
	}
	return files[0], nil
}

func findLinux(dir string) (*Linux, error) {
	kernels, err := filepath.Glob(filepath.Join(dir, "boot/vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return nil, fmt.Errorf("%s: %d kernels (%v)", dir, len(kernels), err)
	}
	l := &Linux{Kernel: kernels[0], modules: map[string]string{}}
	l.Version = strings.TrimPrefix(filepath.Base(l.Kernel), "vmlinuz-")
	for _, lib := range []string{"lib", "usr/lib"} {
		err := filepath.WalkDir(filepath.Join(dir, lib, "modules"), func(path string, d os.DirEntry, err error) error {
			if err == nil {
				name, _, _ := strings.Cut(filepath.Base(path), ".ko")
				l.modules[name] = path
			}
			return nil // of the two directories one is missing
		})
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// WriteInitrd makes an initial file system that holds the modules and a
// program with its arguments.
func (l *Linux) WriteInitrd(ctx context.Context, file string, s *System, program string, args []string) error {
	var a archive
	for _, dir := range []string{"dev", "modules", "proc", "share"} {
		a.add(dir, modeDir, nil)
	}
	for _, name := range modulesOf(s) {
		path := l.modules[name]
		if path == "" {
			continue
		}
		data, err := os.ReadFile(path)
		if strings.HasSuffix(path, ".xz") {
			var text string
			text, err = Output(ctx, "", "xz", "-dc", path)
			data = []byte(text)
		}
		if err != nil {
			return err
		}
		a.add("modules/"+name+".ko", modeFile, data)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	a.add("init", modeFile, data)
	a.add("bench.args", modeFile, []byte(strings.Join(args, "\x00")+"\x00"))
	return os.WriteFile(file, a.end(), 0o600)
}

// Output runs a command and returns what it prints.
func Output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}
