package netstack

import (
	"encoding/binary"
	"syscall"
	"testing"
)

// TestForcedBuffers: SO_RCVBUFFORCE and SO_SNDBUFFORCE go beyond the limit of
// SO_RCVBUF and SO_SNDBUF (socket(7)), here as on Linux, which is asked as well.
func TestForcedBuffers(t *testing.T) {
	for _, typ := range []int{syscall.SOCK_DGRAM, syscall.SOCK_STREAM} {
		for force, name := range map[int]int{syscall.SO_RCVBUFFORCE: syscall.SO_RCVBUF, syscall.SO_SNDBUFFORCE: syscall.SO_SNDBUF} {
			k := newStack(t).openSocket(t, syscall.AF_INET, typ, 0)
			fd, err := syscall.Socket(syscall.AF_INET, typ|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(fd)
			for _, size := range []int{256 << 10, 32 << 20, 1 << 30, 1<<31 - 1} {
				if err := k.SetOption(syscall.SOL_SOCKET, force, binary.NativeEndian.AppendUint32(nil, uint32(size))); err != nil {
					t.Fatal(err)
				}
				var b [4]byte
				if _, err := k.Option(syscall.SOL_SOCKET, name, b[:]); err != nil {
					t.Fatal(err)
				}
				got := int(int32(binary.NativeEndian.Uint32(b[:])))
				if want := min(2*size, 1<<31-2); got != want {
					t.Errorf("type %d, option %d: %d became %d, want %d", typ, force, size, got, want)
				}
				if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, force, size) != nil {
					continue // it takes a right that we have not
				}
				if linux, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, name); err != nil || linux != got {
					t.Errorf("type %d, option %d: %d became %d, on Linux %d, %v", typ, force, size, got, linux, err)
				}
			}
		}
	}
}
