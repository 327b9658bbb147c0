//go:build tamago

package guest

import (
	"runtime"
	"testing"

	"github.com/yolkos/yolk/arch/amd64"
)

// TestMapDeviceHigh maps what could be the registers of devices far above the
// RAM. The tables that this takes must not be anybody else's memory: the stack
// of the first thread lies at the end of the RAM.
func TestMapDeviceHigh(t *testing.T) {
	_, high := amd64.DeviceWindows()
	if high.Start == 0 {
		t.Fatal("no window above the RAM")
	}
	for i := range uint64(40) {
		at := high.Start + i<<30
		if err := amd64.MapDevice(amd64.Range{Start: at, End: at + 0x1000}); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	for i := range uint64(40) {
		// Nobody answers there: the bus reads as all ones or zero, but no fault.
		v := *(*byte)(pointer(uintptr(high.Start + i<<30)))
		sink.Add(uint64(v))
	}
}
