package qemu

import (
	"slices"
	"testing"
)

// TestDiskMountSettings: what Settings says is what ParseDiskMounts reads, with others' settings between.
func TestDiskMountSettings(t *testing.T) {
	want := []DiskMount{{"vda", "/a b", false}, {"vdb12", "/\"=\n", true}}
	lines := "writable=1\n"
	for _, m := range want {
		lines += m.Settings() + "quiet=1\n"
	}
	if got := ParseDiskMounts(lines); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, text := range []string{"", "disk.vda\n", "disk.vda=/a\n", "disk.vda=\"\n"} {
		if got := ParseDiskMounts(text); len(got) > 0 {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
