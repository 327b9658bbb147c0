package qemu

import (
	"debug/elf"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

// firmwareRAM is what QEMU's qboot keeps at the end of the RAM for its tables, in bytes.
const firmwareRAM = 16 << 10

// checkFileSize reports that this process may make no file of so many bytes as a machine has of
// RAM: QEMU, which has this process's limits, keeps that in a file without a name, and dies of
// a signal that tells nobody why.
func checkFileSize(memory uint64) error {
	var own unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_FSIZE, &own) != nil || own.Cur >= memory {
		return nil
	}
	return fmt.Errorf("a machine's memory is a file, and those of this process have %d KiB at most: raise the limit (ulimit -f)", own.Cur>>10)
}

// checkMemory reports that a machine with so many bytes of RAM is too small for an image.
// QEMU and the boot loader say nothing of it that leads anywhere: an image that does not
// fit is loaded in part, or over the RAM that the kernel looks for itself in. It leaves
// to QEMU what is no ELF file.
func checkMemory(image io.ReaderAt, memory uint64) error {
	f, err := elf.NewFile(image)
	if err != nil {
		return nil
	}
	end := uint64(0)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Memsz <= maxMemory && p.Paddr <= maxMemory {
			end = max(end, p.Paddr+p.Memsz)
		}
	}
	const mib = 1 << 20
	need := (end + embedded.Room + firmwareRAM + mib - 1) / mib
	if memory/mib >= need {
		return nil
	}
	return fmt.Errorf("memory %dM: this image needs %dM at least: it fills the first %d MiB, and the kernel needs %d behind it; --mem %dM, and more for what the program keeps",
		memory/mib, need, (end+mib-1)/mib, embedded.Room/mib, need)
}
