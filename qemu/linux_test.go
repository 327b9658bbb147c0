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

func TestWithoutXattr(t *testing.T) {
	for _, d := range []dialect{dialectC, dialectRust} {
		s := server{path: "virtiofsd", dialect: d, cache: "always"}
		args := strings.Join(withoutXattr(s.args("/dir", 3)), " ")
		if !strings.Contains(args, "cache=always") || strings.Contains(args, "xattr") || strings.Contains(args, "-o -o") || !strings.Contains(args, "/dir") {
			t.Errorf("%v: %s", d, args)
		}
	}
}
