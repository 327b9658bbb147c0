package amd64

import "unsafe"

// at returns a pointer to what lies at a physical address, which is also its
// virtual address.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// sliceAt returns n elements from a physical address on.
func sliceAt[T any](p uintptr, n int) []T { return unsafe.Slice(at[T](p), n) }

// PhysicalAddress returns the physical address of b's first byte.
func PhysicalAddress(b []byte) uintptr { return address(b) }

// address returns the address of b's first byte.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
