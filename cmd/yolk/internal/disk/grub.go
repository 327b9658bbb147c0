package disk

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path"
)

// Names on the file system that the boot loader reads.
const (
	kernelName = "boot/yolk.elf"
	configName = "boot/grub/grub.cfg"
	efiName    = "EFI/BOOT/BOOTX64.EFI" // UEFI 2.10 §3.5.1.1
)

// config is what GRUB does. If that fails, it does it once more, for what it says to go to
// the serial port as well: UEFI has it there by itself.
const config = `if multiboot2 /` + kernelName + `; then
	boot
fi
if [ "$grub_platform" = pc ]; then
	serial --unit=0 --speed=115200
	terminal_output console serial
fi
multiboot2 /` + kernelName + `
boot
`

// Modules of GRUB's core images, besides those that are for one of them.
var (
	grubModules = []string{"normal", "multiboot2", "test", "echo", "configfile", "ls", "cat", "reboot", "halt"}
	biosModules = []string{"biosdisk", "serial", "terminal"}
	efiModules  = []string{"all_video"}
	diskModules = []string{"part_gpt", "fat"}
	netModules  = []string{"tftp", "http"}
	discModules = []string{"iso9660", "search", "search_fs_file", "part_gpt", "part_msdos", "fat"}
)

const earlyFile = "early.cfg"

// grubCore makes a core image of GRUB's, and returns its name. prefix is where it finds its configuration, and
// early, if not empty, what it does before that.
func (m *maker) grubCore(ctx context.Context, format, prefix, early string, modules ...[]string) (string, error) {
	args := []string{"-O", format, "-o", format, "-p", prefix}
	if early != "" {
		if err := os.WriteFile(m.path(earlyFile), []byte(early), 0o600); err != nil {
			return "", err
		}
		args = append(args, "-c", earlyFile)
	}
	for _, list := range append([][]string{grubModules}, modules...) {
		args = append(args, list...)
	}
	return format, m.run(ctx, &grubMkimage, args...)
}

// Places in GRUB's images for BIOS, in bytes (GRUB, include/grub/i386/pc/boot.h). All
// numbers are little-endian.
const (
	bootKernelSector = 0x5c        // of boot.img: the block where the core image begins, 8 bytes
	bootDriveCheck   = 0x66        // a jump that is left out on disks
	coreBlocks       = sector - 12 // of the core image: the block where its second sector is, 8 bytes
	coreMax          = 1 << 20     // which the BIOS boot partition has room for

	jumpNothing = 0x9090 // two NOPs
)

// biosBootCode returns the boot code of GRUB's for the MBR, and its core image, to lie at
// the byte start of the disk.
func (m *maker) biosBootCode(ctx context.Context, start int64) (mbr, core []byte, err error) {
	file, _ := grubBIOS.find()
	if mbr, err = os.ReadFile(file); err != nil {
		return nil, nil, err
	}
	name, err := m.grubCore(ctx, "i386-pc", fmt.Sprintf("(,gpt%d)/%s", systemNumber, path.Dir(configName)), "", biosModules, diskModules)
	if err != nil {
		return nil, nil, err
	}
	if core, err = os.ReadFile(m.path(name)); err != nil {
		return nil, nil, err
	}
	if len(mbr) != sector || len(core) < sector || len(core) > coreMax {
		return nil, nil, fmt.Errorf("GRUB for BIOS: %s has %d bytes, want %d, and the core image %d, want %d to %d", file, len(mbr), sector, len(core), sector, coreMax)
	}
	binary.LittleEndian.PutUint64(mbr[bootKernelSector:], uint64(start/sector))
	binary.LittleEndian.PutUint16(mbr[bootDriveCheck:], jumpNothing)
	binary.LittleEndian.PutUint64(core[coreBlocks:], uint64(start/sector+1))
	return mbr, core, nil
}
