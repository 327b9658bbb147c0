package disk

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// discFAT is the size of the FAT file system with GRUB for UEFI on a CD, in bytes.
const discFAT = 4 << 20

// disc makes a CD (ISO 9660, El Torito), with a partition table that makes it a disk too.
func (m *maker) disc(ctx context.Context) error {
	tree := func(name string) string { return path.Join(treeDir, name) }
	if err := os.MkdirAll(m.path(tree(path.Dir(configName))), 0o755); err != nil {
		return err
	}
	// GRUB looks for the CD that it is on by a file that no other has.
	mark := fmt.Sprintf("boot/%x", m.id[:8])
	early := "search --file --set=root /" + mark + "\nset prefix=($root)/" + path.Dir(configName) + "\n"
	bios, err := m.grubCore(ctx, "i386-pc-eltorito", "/"+path.Dir(configName), early, biosModules, discModules)
	if err != nil {
		return err
	}
	efi, err := m.grubCore(ctx, "x86_64-efi", "/"+path.Dir(configName), early, efiModules, discModules)
	if err != nil {
		return err
	}
	const biosName, fatName = "boot/grub/bios.img", "boot/grub/efi.img"
	if err := m.makeFAT(ctx, tree(fatName), 0, discFAT, []hostFile{{efi, efiName}}, "-C"); err != nil {
		return err
	}
	if err := os.WriteFile(m.path(tree(mark)), nil, 0o644); err != nil {
		return err
	}
	if err := m.config(tree(configName)); err != nil {
		return err
	}
	for from, to := range map[string]string{bios: biosName, kernelFile: kernelName} {
		if err := os.Rename(m.path(from), m.path(tree(to))); err != nil {
			return err
		}
	}
	day := epoch.Format("20060102150405") + "00"
	return m.run(ctx, &xorriso, "-report_about", "SORRY", "-as", "mkisofs", "-o", discFile, "-graft-points", "-V", "YOLK", "-r",
		"--modification-date="+day, "--set_all_file_dates", day,
		"-b", biosName, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
		"--grub2-mbr", filepath.Join(grubFiles, "i386-pc/boot_hybrid.img"),
		"--efi-boot", fatName, "-efi-boot-part", "--efi-boot-image", "--protective-msdos-label", "/="+treeDir)
}
