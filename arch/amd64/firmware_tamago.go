//go:build tamago

package amd64

import "github.com/yolkos/yolk/arch/amd64/acpi"

// firmware is what the machine's ACPI tables say, as they were read at boot: the memory that
// they lie in may become the heap's.
var firmware acpi.Tables

// ACPI returns the machine's ACPI tables.
func ACPI() *acpi.Tables { return &firmware }

// initFirmware reads the ACPI tables. root is where the boot loader says they begin;
// 0: it does not know of any. A loader of QEMU's has looked for them itself.
func initFirmware(root uint64) {
	if root == 0 && !fwPresent() {
		root = acpi.FindRoot(bootMemory)
	}
	firmware.Read(bootMemory, root)
}

// bootMemory returns memory below 4 GiB, all of which is mapped before initTables.
func bootMemory(addr uint64, n int) []byte {
	if addr == 0 || addr >= 1<<32 || uint64(n) > 1<<32-addr {
		return nil
	}
	return sliceAt[byte](uintptr(addr), n)
}
