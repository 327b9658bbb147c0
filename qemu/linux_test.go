package qemu

import (
	"slices"
	"strings"
	"testing"
)

func TestLinuxArgs(t *testing.T) {
	c := Config{Machine: MicroVM, Accel: TCG, Memory: 64 << 20, Kernel: "vmlinuz"}
	args := strings.Join(c.linuxArgs("initrd.img"), " ")
	for _, want := range []string{"acpi=on", "-kernel vmlinuz", "-initrd initrd.img"} {
		if !strings.Contains(args, want) {
			t.Errorf("no %q in %s", want, args)
		}
	}
	if slices.Contains(c.Args(), "-initrd") {
		t.Error("an ordinary guest got an initial file system")
	}
}
