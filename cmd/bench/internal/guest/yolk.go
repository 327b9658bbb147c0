//go:build tamago

package guest

import (
	"os"
	"runtime"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// Mark writes a byte to MarkPort.
func Mark(v uint8) { reg.Out8(MarkPort, v) }

// Stages returns the parts of the boot.
func Stages() []Stage {
	var list []Stage
	all, _ := amd64.Stages()
	for _, s := range all {
		list = append(list, Stage{s.Name, s.At})
	}
	return list
}

// Waits returns what Yolk has waited.
func Waits() (Waiting, error) {
	text, err := os.ReadFile("/proc/yolk/virtio")
	if err != nil {
		return Waiting{}, err
	}
	w, err := yolkWaiting(string(text))
	for cpu := range runtime.NumCPU() {
		w.Nanoseconds += amd64.IdleTime(cpu).Nanoseconds()
	}
	return w, err
}
