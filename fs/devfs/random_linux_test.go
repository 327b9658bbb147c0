package devfs_test

import (
	"encoding/binary"
	"syscall"
	"testing"
	"unsafe"
)

// TestRandomControls asks the random devices of this machine and of the file system
// the same. Only root may do what changes them.
func TestRandomControls(t *testing.T) {
	k, _ := newKernel(t)
	for _, name := range []string{"random", "urandom"} {
		theirs, err := syscall.Open("/dev/"+name, syscall.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(theirs)
		ours, e := k.Openat(cwd, name, syscall.O_RDONLY, 0)
		if e != 0 {
			t.Fatal(e)
		}
		for _, try := range []struct {
			cmd   uint32
			first int32 // of what is given
			root  bool
		}{
			{cmd: 0x80045200},                        // RNDGETENTCNT
			{cmd: 0x40045201, first: 0, root: true},  // RNDADDTOENTCNT
			{cmd: 0x40045201, first: -1, root: true}, //
			{cmd: 0x40085203, first: -1, root: true}, // RNDADDENTROPY
			{cmd: 0x5204, root: true},                // RNDZAPENTCNT
			{cmd: 0x5206, root: true},                // RNDCLEARPOOL
			{cmd: 0x5208},                            // none
			{cmd: syscall.TCGETS},                    // as isatty(3) does
			{cmd: syscall.TIOCGWINSZ},                //
			{cmd: 0x80085299},                        // none
		} {
			if try.root && syscall.Geteuid() != 0 {
				continue
			}
			theirData, ourData := make([]byte, 64), make([]byte, 64)
			binary.NativeEndian.PutUint32(theirData, uint32(try.first))
			copy(ourData, theirData)
			_, _, want := syscall.Syscall(syscall.SYS_IOCTL, uintptr(theirs), uintptr(try.cmd), uintptr(unsafe.Pointer(&theirData[0])))
			if want == syscall.EPERM {
				continue // root in a container
			}
			if _, e := k.Ioctl(ours, try.cmd, 0, ourData); e != want {
				t.Errorf("%s: %#x of %d: %v, on Linux %v", name, try.cmd, try.first, e, want)
			}
			if try.cmd == 0x80045200 && binary.NativeEndian.Uint32(ourData) == 0 {
				t.Errorf("%s has no entropy", name)
			}
		}
	}
	null, _ := k.Openat(cwd, "null", syscall.O_RDONLY, 0)
	if _, e := k.Ioctl(null, syscall.TCGETS, 0, make([]byte, 64)); e != syscall.ENOTTY {
		t.Errorf("null: %v", e)
	}
}
