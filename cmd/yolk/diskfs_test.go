package main

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/disk"
	"github.com/yolkos/yolk/internal/tools"
	"github.com/yolkos/yolk/qemu"
)

// wantMounts is what the program diskfs prints of the disks of mountedDisks.
const wantMounts = `"hello\n" <nil>
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

// mountArgs are the options that have them mounted, of which the first one is vdX in the guest, and
// the working directory in the last one.
func mountArgs(first byte) []string {
	name := func(i byte) string { return "vd" + string(first+i) }
	return []string{"--mount-disk", name(0) + ":/data", "--mount-disk", name(1) + "1:/sq:overlay", "--mount-disk", name(2) + ":/ero", "--cwd", "/ero/sub"}
}

// mountedDisks makes three disks: an ext4, a SquashFS in the first partition, of that compression, and
// an EROFS.
func mountedDisks(t *testing.T, compression string) []string {
	t.Helper()
	for _, tool := range []string{"mkfs.ext4", "mksquashfs"} {
		tools.Find(t, tool)
	}
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
		exec.Command("mksquashfs", tree, second, "-noappend", "-quiet", "-no-progress", "-comp", compression),
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
	return []string{first, second, third}
}

// TestGuestDiskMounts: the kernel mounts file systems of disks where --mount-disk says, with
// changes in memory where asked, and the program others by mount(2). The program starts in one of them.
// All of it goes with the options of yolk run, and with those of yolk build in the image.
func TestGuestDiskMounts(t *testing.T) {
	needGuest(t)
	dir := program(t, "diskfs")
	mounts := mountArgs('a')
	for i, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			run := []string{"run", "-q", "--machine", machine}
			for _, d := range mountedDisks(t, []string{"zstd", "gzip"}[i%2]) {
				run = append(run, "--disk", d+":ro")
			}
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
			if got.status != 0 || got.stdout != wantMounts {
				t.Errorf("%+v, want %s", got, wantMounts)
			}
		})
	}
}

// TestGuestBootedDiskMounts: so does a disk of yolk image, whose own disk is the first one: the program
// is loaded by GRUB, and nobody tells the kernel anything but the image.
func TestGuestBootedDiskMounts(t *testing.T) {
	needGuest(t)
	bootTools(t, disk.Raw)
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image.raw")
	build := append([]string{"image", "-o", image, "--args", "/dev/vdb"}, mountArgs('b')...)
	if got := runCommand(t, yolkCommand(t, program(t, "diskfs"), append(build, ".")...)); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	for firmware, compression := range map[string]string{"bios": "xz", "uefi": "lz4"} {
		t.Run(firmware, func(t *testing.T) {
			args := []string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
				"-M", "q35,accel=" + machineAccel(), "-m", "256", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"}
			for i, d := range append([]string{image}, mountedDisks(t, compression)...) {
				args = append(args, "-drive", fmt.Sprintf("if=none,id=d%d,format=raw,readonly=on,file=%s", i, d),
					"-device", fmt.Sprintf("virtio-blk-pci,drive=d%d,bootindex=%d", i, i))
			}
			if firmware == "uefi" {
				args = append(args, "-drive", "if=pflash,format=raw,readonly=on,file="+ovmf)
			}
			out, got := runMachine(t, "", path, args...)
			var printed strings.Builder // without the kernel's log
			for line := range strings.Lines(out) {
				if !strings.HasPrefix(line, "[") {
					printed.WriteString(line)
				}
			}
			checkMachine(t, printed.String(), got, []string{wantMounts}, 1)
			if t.Failed() {
				t.Logf("%s %q:\n%s", path, args, out)
			}
		})
	}
}
