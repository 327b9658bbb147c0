package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/disk"
)

// TestImageRefused: what cannot be made is said before anything is built.
func TestImageRefused(t *testing.T) {
	elf := filepath.Join(t.TempDir(), "app.elf")
	if err := os.WriteFile(elf, []byte("\x7fELF"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--size", "1G", "-o", "x.iso", "."}, "--size 1G is for disks, raw and qcow2: --format iso has"},
		{[]string{"--size", "1G", "-o", "x.tar", "."}, "--size 1G is for disks"},
		{[]string{"--size", "1G", "--format", "iso", "-o", "x.raw", "."}, "--format iso has the size of its files"},
		{[]string{"--size", "0", "."}, `invalid argument "0" for "--size" flag: 0 is less than 1 MiB`},
		{[]string{"--size", "1e9", "."}, `"1e9": want a number of MiB, or one with a unit`},
		{[]string{"--size=-1", "."}, `"-1": want a number of MiB`},
		{[]string{"--size", "9999999T", "."}, "want a number of MiB"},
		{[]string{"--format", "vdi", "."}, "want one of raw, qcow2, iso, net"},
		{[]string{elf}, "app.elf is built already"},
	} {
		cmd := root()
		cmd.SetArgs(append([]string{"image"}, c.args...))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]disk.Format{
		"": disk.Raw, "a": disk.Raw, "a.img": disk.Raw, "a.raw": disk.Raw, "iso": disk.Raw, "a.iso/": disk.Raw,
		"a.qcow2": disk.QCOW2, "dir/A.ISO": disk.ISO, "a.tar": disk.Net,
	} {
		if got := formatOf(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
