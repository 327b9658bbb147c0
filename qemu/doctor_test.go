package qemu

import (
	"strings"
	"testing"
)

// TestDoctorTellsWhy has a virtiofsd that starts, but not to serve: the reason
// is the one that it gives.
func TestDoctorTellsWhy(t *testing.T) {
	fakes(t, "", "complain:Failed_to_find_mount_root end")
	if got := examineServers(); !strings.Contains(got, "built-in server") || !strings.Contains(got, "Failed_to_find_mount_root") {
		t.Errorf("virtio-fs: %s", got)
	}
	fakes(t, "", "complain:first end:0")
	if got := examineServers(); !strings.Contains(got, "first") {
		t.Errorf("virtio-fs: %s", got)
	}
}
