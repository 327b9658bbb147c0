package pci

import "fmt"

// A few names, for people: of what QEMU's machines have on their buses.

var classNames = map[uint16]string{
	0x0000: "Unclassified device",
	0x00ff: "Unclassified device",
	0x0100: "SCSI storage controller",
	0x0101: "IDE interface",
	0x0106: "SATA controller",
	0x0108: "Non-Volatile memory controller",
	0x0180: "Mass storage controller",
	0x0200: "Ethernet controller",
	0x0280: "Network controller",
	0x0300: "VGA compatible controller",
	0x0380: "Display controller",
	0x0401: "Multimedia audio controller",
	0x0403: "Audio device",
	0x0500: "RAM memory",
	0x0580: "Memory controller",
	0x0600: "Host bridge",
	0x0601: "ISA bridge",
	0x0604: "PCI bridge",
	0x0680: "Bridge",
	0x0700: "Serial controller",
	0x0780: "Communication controller",
	0x0880: "System peripheral",
	0x0900: "Keyboard controller",
	0x0980: "Input device controller",
	0x0c03: "USB controller",
	0x0c05: "SMBus",
	0x1000: "Encryption controller",
	0xff00: "Unassigned class",
}

var vendorNames = map[uint16]string{
	0x1022: "AMD",
	0x1033: "NEC",
	0x10ec: "Realtek",
	0x1234: "QEMU",
	0x1af4: "Red Hat (virtio)",
	0x1b36: "Red Hat (QEMU)",
	0x8086: "Intel",
}

var deviceNames = map[uint32]string{ // vendor, device
	0x1234_1111: "standard VGA",
	0x1b36_0001: "PCI-PCI bridge",
	0x1b36_0008: "PCIe host bridge",
	0x1b36_000c: "PCIe root port",
	0x1b36_000d: "xHCI host controller",
	0x1b36_000e: "PCIe-to-PCI bridge",
	0x1b36_0010: "NVMe controller",
	0x8086_100e: "82540EM (e1000)",
	0x8086_10d3: "82574L (e1000e)",
	0x8086_1237: "440FX",
	0x8086_2918: "ICH9 LPC",
	0x8086_2922: "ICH9 SATA",
	0x8086_2930: "ICH9 SMBus",
	0x8086_29c0: "Q35 memory controller hub",
	0x8086_7000: "PIIX3 ISA",
	0x8086_7010: "PIIX3 IDE",
	0x8086_7113: "PIIX4 ACPI",
}

var virtioNames = map[uint32]string{ // virtio 1.2 §5
	1: "network", 2: "block", 3: "console", 4: "entropy", 5: "balloon", 8: "SCSI", 9: "9P",
	16: "GPU", 18: "input", 19: "socket", 20: "crypto", 23: "IOMMU", 24: "memory", 25: "sound",
	26: "file system", 27: "pmem",
}

// ClassName says what kind of function it is.
func (f *Function) ClassName() string {
	if n, ok := classNames[uint16(f.Class>>8)]; ok {
		return n
	}
	return fmt.Sprintf("Class %04x", f.Class>>8)
}

// DeviceName says who made it and what it is.
func (f *Function) DeviceName() string {
	vendor, ok := vendorNames[f.Vendor]
	if !ok {
		vendor = fmt.Sprintf("Vendor %04x", f.Vendor)
	}
	device, ok := deviceNames[uint32(f.Vendor)<<16|uint32(f.Device)]
	if f.IsVirtio() {
		device, ok = virtioNames[f.VirtioID()]
	}
	if !ok {
		device = fmt.Sprintf("device %04x", f.Device)
	}
	return vendor + " " + device
}

// String describes the function in a line, as lspci -nn does.
func (f *Function) String() string {
	return fmt.Sprintf("%v %s [%04x]: %s [%04x:%04x] (rev %02x)",
		f.Addr, f.ClassName(), f.Class>>8, f.DeviceName(), f.Vendor, f.Device, f.Revision)
}
