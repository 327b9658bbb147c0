package acpi_test

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/acpi"
)

// What firmware says is checked: here there is nothing where the tables should be.
func ExampleTables_Read() {
	ram := make([]byte, 1<<20)
	read := func(addr uint64, n int) []byte {
		if addr > uint64(len(ram)) || uint64(n) > uint64(len(ram))-addr {
			return nil
		}
		return ram[addr:][:n]
	}
	fmt.Println(acpi.FindRoot(read))
	var t acpi.Tables
	t.Read(read, 0x1000)
	for _, p := range t.Problems() {
		fmt.Println(p)
	}
	// Output:
	// 0
	// acpi: table RSDP at 0x1000: signature or checksum at 0x1000: no root pointer is there
}
