package disk

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
)

// pxeName is GRUB for a BIOS that loads it from the network; a UEFI loads that of a disk.
const pxeName = "boot/grub/bios.0"

// netboot makes an archive (tar) of what a TFTP server hands out.
func (m *maker) netboot(ctx context.Context) (name string, err error) {
	bios, err := m.grubCore(ctx, "i386-pc-pxe", "/"+filepath.Dir(configName), "", biosModules, []string{"pxe"}, netModules)
	if err != nil {
		return "", err
	}
	efi, err := m.grubCore(ctx, "x86_64-efi", "/"+filepath.Dir(configName), "", efiModules, []string{"efinet"}, netModules)
	if err != nil {
		return "", err
	}
	cfg, err := m.config()
	if err != nil {
		return "", err
	}
	name = filepath.Join(m.dir, "net.tar")
	out, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer func() {
		if end := out.Close(); err == nil {
			err = end
		}
	}()
	w := tar.NewWriter(out)
	for _, f := range []hostFile{{efi, efiName}, {bios, pxeName}, {cfg, configName}, {m.Kernel, kernelName}} {
		if err := addFile(ctx, w, f); err != nil {
			return "", err
		}
	}
	return name, w.Close()
}

func addFile(ctx context.Context, w *tar.Writer, f hostFile) error {
	in, err := os.Open(f.host)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: info.Size(), ModTime: epoch, Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return context.Cause(ctx)
}
