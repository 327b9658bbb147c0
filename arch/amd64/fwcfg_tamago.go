//go:build tamago

package amd64

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg): named files
// from the launcher.
const (
	fwSelector = 0x510
	fwData     = 0x511
	fwDMA      = 0x514 // the address of a command, big-endian, its upper half first

	fwSignature = 0x0000
	fwFeatures  = 0x0001
	fwCPUs      = 0x0005
	fwDirectory = 0x0019
	fwMaxFiles  = 4096

	fwHasDMA = 1 << 1 // of fwFeatures
)

var fwLock sync.Mutex

// What the device is read by: transfers to fwBuffer, for which a virtual machine is
// left once, or where it lacks them bytes of a port.
var (
	fwState   uint8 // fwUnknown and so on
	fwCommand struct{ control, length, high, low uint32 }
	fwBuffer  [16 * fwEntry]byte

	fwKey   uint16 // what is selected, and
	fwAt    int    // how many of its bytes have been read
	fwStuck bool   // a transfer did not come to its end
)

const (
	fwUnknown = iota
	fwAbsent
	fwBytes
	fwTransfers
)

// fwEntry is the size of an entry of the directory: size, key, 2 bytes, and the name.
const fwEntry = 64

func fwSelect(key uint16) {
	reg.Out16(fwSelector, key)
	fwKey, fwAt = key, 0
}

// fwPresent reports whether the machine has the device.
func fwPresent() bool {
	if fwState != fwUnknown {
		return fwState != fwAbsent
	}
	fwState = fwBytes
	b := fwBuffer[:4]
	fwSelect(fwSignature)
	if fwRead(b); string(b) != "QEMU" {
		fwState = fwAbsent
		return false
	}
	fwSelect(fwFeatures)
	if fwRead(b); binary.LittleEndian.Uint32(b)&fwHasDMA != 0 {
		fwState = fwTransfers
	}
	return true
}

// fwRead fills b with the next bytes of what is selected.
func fwRead(b []byte) {
	for len(b) > 0 {
		n := min(len(b), len(fwBuffer))
		fwFill(n)
		b = b[copy(b, fwBuffer[:n]):]
	}
}

// fwFill fills the first n bytes of fwBuffer with the next of what is selected. A
// device that does not do a transfer is read by bytes from then on.
func fwFill(n int) {
	if fwState == fwTransfers && !fwTransfer(n) {
		fwState, fwStuck = fwBytes, true
		read := fwAt
		fwSelect(fwKey)
		for range read {
			reg.In8(fwData)
		}
		fwAt = read
	}
	if fwState == fwBytes {
		for i := range fwBuffer[:n] {
			fwBuffer[i] = reg.In8(fwData)
		}
	}
	fwAt += n
}

// fwTransfer reads n bytes to fwBuffer, in the image, whose physical address is its
// virtual one. It returns false if the device has not done so.
func fwTransfer(n int) bool {
	c := &fwCommand
	c.length = bits.ReverseBytes32(uint32(n))
	to := uint64(uintptr(unsafe.Pointer(&fwBuffer)))
	c.high, c.low = bits.ReverseBytes32(uint32(to>>32)), bits.ReverseBytes32(uint32(to))
	atomic.StoreUint32(&c.control, bits.ReverseBytes32(fwReads))
	at := uint64(uintptr(unsafe.Pointer(c)))
	reg.Out32(fwDMA, bits.ReverseBytes32(uint32(at>>32)))
	reg.Out32(fwDMA+4, bits.ReverseBytes32(uint32(at)))
	return awaitTransfer(&c.control, lookAgain)
}

// lookAgain takes a machine a microsecond or so.
func lookAgain() { reg.In8(controlPort) }

// FwCfgStuck reports that the firmware-configuration device has left a transfer undone.
func FwCfgStuck() bool { return fwStuck }

// fwFind looks for a file of the device. It works before the runtime.
func fwFind(name string) (key uint16, size uint32, ok bool) {
	if !fwPresent() {
		return 0, 0, false
	}
	fwSelect(fwDirectory)
	var count [4]byte
	fwRead(count[:])
	left := int(min(binary.BigEndian.Uint32(count[:]), fwMaxFiles))
	for left > 0 {
		n := min(left, len(fwBuffer)/fwEntry)
		left -= n
		list := fwBuffer[:n*fwEntry]
		fwFill(len(list))
		for ; len(list) > 0; list = list[fwEntry:] {
			e := list[:fwEntry]
			if field := e[8:]; string(field[:len(name)]) == name && field[len(name)] == 0 {
				return binary.BigEndian.Uint16(e[4:]), binary.BigEndian.Uint32(e), true
			}
		}
	}
	return 0, 0, false
}

// FwCfg returns the firmware configuration file of that name.
func FwCfg(name string) ([]byte, bool) {
	fwLock.Lock()
	defer fwLock.Unlock()
	key, size, ok := fwFind(name)
	if !ok || uint64(size) > memory.total/4 {
		return nil, false
	}
	b := make([]byte, size)
	fwSelect(key)
	fwRead(b)
	return b, true
}
