// Package reg reaches device registers: memory-mapped ones with an access of
// exactly the width asked for, and I/O ports. The functions are written in
// assembly so that the compiler neither merges, splits, repeats nor drops an
// access. Device memory must be mapped uncached, which also keeps the accesses
// in order (Intel SDM vol. 3, 13.3).
//
// Regs and Ports are the same as values, which drivers take and for which tests
// put simulated devices.
package reg

// Read8 reads the byte at addr.
func Read8(addr uintptr) uint8

// Read16 reads the 16-bit register at addr, a multiple of 2.
func Read16(addr uintptr) uint16

// Read32 reads the 32-bit register at addr, a multiple of 4.
func Read32(addr uintptr) uint32

// Read64 reads the 64-bit register at addr, a multiple of 8.
func Read64(addr uintptr) uint64

// Write8 writes the byte at addr.
func Write8(addr uintptr, v uint8)

// Write16 writes the 16-bit register at addr, a multiple of 2.
func Write16(addr uintptr, v uint16)

// Write32 writes the 32-bit register at addr, a multiple of 4.
func Write32(addr uintptr, v uint32)

// Write64 writes the 64-bit register at addr, a multiple of 8.
func Write64(addr uintptr, v uint64)

// In8 reads an 8-bit I/O port. Like its siblings it needs I/O privilege.
func In8(port uint16) uint8

// In16 reads a 16-bit I/O port.
func In16(port uint16) uint16

// In32 reads a 32-bit I/O port.
func In32(port uint16) uint32

// Out8 writes an 8-bit I/O port.
func Out8(port uint16, v uint8)

// Out16 writes a 16-bit I/O port.
func Out16(port uint16, v uint16)

// Out32 writes a 32-bit I/O port.
func Out32(port uint16, v uint32)
