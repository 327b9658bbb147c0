package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// discFAT is the size of the FAT file system with GRUB for UEFI on a CD, in bytes.
const discFAT = 4 << 20

// disc makes a CD (ISO 9660, El Torito), with a partition table that makes it a disk too.
func (m *maker) disc(ctx context.Context) (string, error) {
	tree := filepath.Join(m.dir, "tree")
	file := func(name string) string { return filepath.Join(tree, name) }
	if err := os.MkdirAll(file(filepath.Dir(configName)), 0o755); err != nil {
		return "", err
	}
	// GRUB looks for the CD that it is on by a file that no other has.
	mark := fmt.Sprintf("boot/%x", m.id[:8])
	early := "search --file --set=root /" + mark + "\nset prefix=($root)/" + filepath.Dir(configName) + "\n"
	bios, err := m.grubCore(ctx, "i386-pc-eltorito", "/"+filepath.Dir(configName), early, biosModules, discModules)
	if err != nil {
		return "", err
	}
	efi, err := m.grubCore(ctx, "x86_64-efi", "/"+filepath.Dir(configName), early, efiModules, discModules)
	if err != nil {
		return "", err
	}
	const biosName, fatName = "boot/grub/bios.img", "boot/grub/efi.img"
	if err := m.makeFAT(ctx, file(fatName), 0, discFAT, []hostFile{{efi, efiName}}, "-C"); err != nil {
		return "", err
	}
	for name, data := range map[string]string{mark: "", configName: config} {
		if err := os.WriteFile(file(name), []byte(data), 0o644); err != nil {
			return "", err
		}
	}
	if err := os.Rename(bios, file(biosName)); err != nil {
		return "", err
	}
	hybrid := filepath.Join(grubFiles, "i386-pc/boot_hybrid.img")
	name := filepath.Join(m.dir, "disc.iso")
	return name, m.run(ctx, &xorriso, "-report_about", "SORRY", "-as", "mkisofs", "-o", name, "-graft-points", "-V", "YOLK", "-r",
		"--modification-date="+epoch.Format("20060102150405")+"00", "--set_all_file_dates", epoch.Format("20060102150405")+"00",
		"-b", biosName, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info", "--grub2-mbr", hybrid,
		"--efi-boot", fatName, "-efi-boot-part", "--efi-boot-image", "--protective-msdos-label",
		"/="+tree, "/"+kernelName+"="+m.Kernel)
}
