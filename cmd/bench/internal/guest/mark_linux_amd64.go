//go:build linux && !tamago

package guest

import (
	"os"
	"runtime"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// Mark writes a byte to MarkPort, in a guest, which lets process 1 do so.
func Mark(v uint8) {
	if os.Getpid() != 1 {
		return
	}
	runtime.LockOSThread() // whose right it is, and only for now: it makes switches dearer
	defer runtime.UnlockOSThread()
	if permit(1) == nil {
		reg.Out8(MarkPort, v)
		_ = permit(0)
	}
}

// permit allows the thread to write to MarkPort, or does so no more: ioperm(2).
func permit(on uintptr) error {
	if _, _, e := syscall.Syscall(syscall.SYS_IOPERM, MarkPort, 1, on); e != 0 {
		return e
	}
	return nil
}
