//go:build tamago

package amd64

import (
	"encoding/binary"
	"sync"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg): named files
// from the launcher.
const (
	fwSelector = 0x510
	fwData     = 0x511

	fwSignature = 0x0000
	fwCPUs      = 0x0005
	fwDirectory = 0x0019
	fwMaxFiles  = 4096
)

var fwLock sync.Mutex

func fwSelect(key uint16) { reg.Out16(fwSelector, key) }

func fwByte() byte { return reg.In8(fwData) }

func fwBig32() uint32 {
	var b [4]byte
	for i := range b {
		b[i] = fwByte()
	}
	return binary.BigEndian.Uint32(b[:])
}

// fwPresent reports whether the machine has the device.
func fwPresent() bool {
	fwSelect(fwSignature)
	for i := 0; i < 4; i++ {
		if fwByte() != "QEMU"[i] {
			return false
		}
	}
	return true
}

// fwFind looks for a file of the device. It works before the runtime.
func fwFind(name string) (key uint16, size uint32, ok bool) {
	if !fwPresent() {
		return 0, 0, false
	}
	fwSelect(fwDirectory)
	n := fwBig32()
	for i := uint32(0); i < n && i < fwMaxFiles; i++ {
		size := fwBig32()
		k := fwBig32()
		match, ended := true, false
		for j := 0; j < 56; j++ {
			c := fwByte()
			switch {
			case ended:
			case j < len(name):
				match = match && c == name[j]
			case c == 0:
				ended = true
			default:
				match = false
			}
		}
		if match {
			return uint16(k >> 16), size, true
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

// fwRead fills b from the selected file.
func fwRead(b []byte) {
	for i := range b {
		b[i] = fwByte()
	}
}
