package qemu

import (
	"slices"
	"strings"
	"testing"
)

// On a machine without QEMU the error says what to install.
func TestWithoutQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if names := Missing(); !slices.Contains(names, "qemu-system-x86") {
		t.Errorf("missing: %q", names)
	}
	_, err := FindQEMU()
	if err == nil || !strings.Contains(err.Error(), emulator+" is not in PATH: install") {
		t.Errorf("%v", err)
	}
}
