package amd64

import (
	"math/bits"
	"sync/atomic"
)

// Bits of a command to the firmware-configuration device, big-endian, which it clears
// when it has done it (QEMU, docs/specs/fw_cfg, DMA).
const (
	fwFailed = 1 << 0
	fwReads  = 1 << 1
)

// fwLooks bounds how often a device is asked whether it has done a command: for a second or
// so. QEMU's has before the command's last byte is given.
const fwLooks = 1 << 20

// awaitTransfer waits until the device has done a command. It returns false if that
// failed, or takes too long. pause is called between two looks.
func awaitTransfer(control *uint32, pause func()) bool {
	for range fwLooks {
		switch left := bits.ReverseBytes32(atomic.LoadUint32(control)); {
		case left == 0:
			return true
		case left&fwFailed != 0:
			return false
		}
		pause()
	}
	return false
}
