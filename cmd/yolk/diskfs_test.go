package main

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGuestDiskMounts: the kernel mounts file systems of disks where --mount-disk says, with
// changes in memory where asked, and the program others by mount(2). The program starts in one of them.
// All of it goes with the options of yolk run, and with those of yolk build in the image.
func TestGuestDiskMounts(t *testing.T) {
	needGuest(t)
	for _, tool := range []string{"mkfs.ext4", "mksquashfs"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") != "" {
			t.Fatal(err)
		} else if err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := program(t, "diskfs")
	tmp := t.TempDir()
	tree := filepath.Join(tmp, "tree")
	if err := os.MkdirAll(filepath.Join(tree, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"hello.txt": "hello\n", "sub/x": "x\n"} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	first, second := filepath.Join(tmp, "first"), filepath.Join(tmp, "second")
	for _, c := range []*exec.Cmd{
		exec.Command("mkfs.ext4", "-q", "-F", "-d", tree, first, "16M"),
		exec.Command("mksquashfs", tree, second, "-noappend", "-quiet", "-no-progress", "-comp", "gzip"),
	} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	// The second one is in a partition at 1 MiB, by a master boot record.
	b, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	b = append(make([]byte, 1<<20), b...)
	b[446+4] = 0x83
	binary.LittleEndian.PutUint32(b[446+8:], 2048)
	binary.LittleEndian.PutUint32(b[446+12:], uint32(len(b)>>9-2048))
	b[510], b[511] = 0x55, 0xaa
	if err := os.WriteFile(second, b, 0o600); err != nil {
		t.Fatal(err)
	}
	third := filepath.Join(tmp, "third")
	f, err := os.Open("../../fs/diskfs/testdata/lz4.erofs.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(packed); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(third, b, 0o600); err != nil {
		t.Fatal(err)
	}
	want := `"hello\n" <nil>
"x\n" <nil>
"b\n" <nil>
open /data/new: read-only file system <nil>
invalid argument
block device required
<nil>
"hello\n" <nil>
43890 <nil>
<nil>
`
	disks := []string{"--disk", first + ":ro", "--disk", second + ":ro", "--disk", third + ":ro"}
	mounts := []string{"--mount-disk", "vda:/data", "--mount-disk", "vdb1:/sq:overlay", "--mount-disk", "vdc:/ero", "--cwd", "/ero/sub"}
	for i, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			run := append([]string{"run", "-q", "--machine", machine}, disks...)
			if i == 0 {
				run = append(append(run, mounts...), ".")
			} else {
				file := filepath.Join(t.TempDir(), "image")
				build := append(append([]string{"build", "-o", file}, mounts...), ".")
				if got := runCommand(t, yolkCommand(t, dir, build...)); got.status != 0 {
					t.Fatalf("%+v", got)
				}
				run = append(run, file)
			}
			got := runCommand(t, yolkCommand(t, dir, run...))
			if got.status != 0 || got.stdout != want {
				t.Errorf("%+v, want %s", got, want)
			}
		})
	}
}
