package disk

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path"
)

// pxeName is GRUB for a BIOS that loads it from the network; a UEFI loads that of a disk.
const pxeName = "boot/grub/bios.0"

// netboot makes an archive (tar) of what a TFTP server hands out.
func (m *maker) netboot(ctx context.Context) (err error) {
	bios, err := m.grubCore(ctx, "i386-pc-pxe", "/"+path.Dir(configName), "", biosModules, []string{"pxe"}, netModules)
	if err != nil {
		return err
	}
	efi, err := m.grubCore(ctx, "x86_64-efi", "/"+path.Dir(configName), "", efiModules, []string{"efinet"}, netModules)
	if err != nil {
		return err
	}
	if err := m.config(configFile); err != nil {
		return err
	}
	out, err := os.Create(m.path(netFile))
	if err != nil {
		return err
	}
	defer func() {
		if end := out.Close(); err == nil {
			err = end
		}
	}()
	w := tar.NewWriter(out)
	for _, f := range []hostFile{{efi, efiName}, {bios, pxeName}, {configFile, configName}, {kernelFile, kernelName}} {
		if err := addFile(ctx, w, m.path(f.host), f.name); err != nil {
			return err
		}
	}
	return w.Close()
}

// addFile adds a file of the host's to an archive.
func addFile(ctx context.Context, w *tar.Writer, host, name string) error {
	in, err := os.Open(host)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), ModTime: epoch, Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return context.Cause(ctx)
}
