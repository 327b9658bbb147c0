package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/disk"
	"github.com/yolkos/yolk/internal/tools"
	"github.com/yolkos/yolk/qemu"
)

// bootCell is a machine with firmware, which boots an image.
type bootCell struct {
	firmware, machine, medium string
	cpus                      int
	off                       bool // ACPI turns it off: there is no isa-debug-exit
	always                    bool // in make test, too
}

// bootCells is the matrix: a medium is the image and how the machine has it. With
// YOLK_MACHINES set all are run, else those that cost little and find the most.
var bootCells = []bootCell{
	{firmware: "bios", machine: "q35", medium: "raw virtio", cpus: 2, always: true},
	{firmware: "uefi", machine: "q35", medium: "raw virtio", cpus: 2, off: true, always: true},
	{firmware: "bios", machine: "pc", medium: "raw virtio", cpus: 1, off: true},
	{firmware: "uefi", machine: "pc", medium: "raw virtio", cpus: 1},
	{firmware: "bios", machine: "q35", medium: "qcow2 virtio", cpus: 1},
	{firmware: "uefi", machine: "q35", medium: "qcow2 virtio", cpus: 1},
	{firmware: "bios", machine: "pc", medium: "qcow2 virtio", cpus: 2},
	{firmware: "uefi", machine: "pc", medium: "qcow2 virtio", cpus: 2, off: true},
	{firmware: "bios", machine: "q35", medium: "raw ide", cpus: 1, off: true},
	{firmware: "uefi", machine: "q35", medium: "raw ide", cpus: 2, off: true},
	{firmware: "bios", machine: "pc", medium: "raw ide", cpus: 2, off: true},
	{firmware: "bios", machine: "q35", medium: "raw usb", cpus: 1, off: true},
	{firmware: "uefi", machine: "q35", medium: "raw nvme", cpus: 1, off: true},
	{firmware: "bios", machine: "q35", medium: "iso cd", cpus: 2, off: true},
	{firmware: "uefi", machine: "q35", medium: "iso cd", cpus: 1},
	{firmware: "bios", machine: "pc", medium: "iso cd", cpus: 1},
	{firmware: "uefi", machine: "pc", medium: "iso cd", cpus: 2, off: true},
	{firmware: "bios", machine: "q35", medium: "iso usb", cpus: 1, off: true},
	{firmware: "uefi", machine: "q35", medium: "iso usb", cpus: 2},
	{firmware: "bios", machine: "q35", medium: "net tftp", cpus: 1},
	{firmware: "bios", machine: "pc", medium: "net tftp", cpus: 2, off: true},
	{firmware: "uefi", machine: "q35", medium: "net tftp", cpus: 2, off: true},
	{firmware: "uefi", machine: "pc", medium: "net tftp", cpus: 1},
}

// ovmf is UEFI firmware: Debian's.
const ovmf = "/usr/share/OVMF/OVMF_CODE_4M.fd"

// bootTools skips a test where the images cannot be made, which fails in CI.
func bootTools(t *testing.T, formats ...disk.Format) {
	t.Helper()
	var err error
	for _, f := range formats {
		err = errors.Join(err, disk.Check(f))
	}
	if _, missing := os.Stat(ovmf); missing != nil {
		err = errors.Join(err, fmt.Errorf("%w; on Debian: apt-get install ovmf", missing))
	}
	tools.Need(t, err)
}

// TestGuestBooted boots images by SeaBIOS and OVMF, and has the program use the disk and
// the network of the machine.
func TestGuestBooted(t *testing.T) {
	needGuest(t)
	all := os.Getenv("YOLK_MACHINES") != ""
	formats := []disk.Format{disk.Raw}
	if all {
		formats = append(formats, disk.QCOW2, disk.ISO, disk.Net)
	}
	bootTools(t, formats...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, "a line")
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	images := map[string]string{}
	source := program(t, "booted")
	for _, f := range formats {
		name := filepath.Join(t.TempDir(), "image"+f.Ext())
		args := []string{"image", "-o", name, "--args", "10.0.2.2:" + port + ` "a b"`, "--env", "MACHINE=booted"}
		if f == disk.Raw || f == disk.QCOW2 {
			args = append(args, "--size", "64M")
		}
		if out, err := yolkCommand(t, source, append(args, ".")...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		images[string(f)] = name
	}
	for _, c := range bootCells {
		if c.always || all {
			t.Run(strings.ReplaceAll(fmt.Sprintf("%s/%s/%s/%d", c.firmware, c.machine, c.medium, c.cpus), " ", "-"), func(t *testing.T) { c.run(t, images, "10.0.2.2:"+port) })
		}
	}
}

func (c *bootCell) run(t *testing.T, images map[string]string, server string) {
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	format, way, _ := strings.Cut(c.medium, " ")
	image := filepath.Join(dir, "image")
	if out, err := exec.Command("cp", "--sparse=always", images[format], image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-M", c.machine + ",accel=" + machineAccel(), "-m", "256", "-smp", fmt.Sprint(c.cpus), "-device", "virtio-rng-pci"}
	want := []string{fmt.Sprintf(`args ["booted" %q "a b"]`, server), `env "booted"`, fmt.Sprintf("cpus %d\n", c.cpus), `asked "a line\n"`, "network: <nil>", "done"}
	user := "user,id=net"
	if format == string(disk.QCOW2) {
		args = append(args, "-drive", "if=none,id=d,format=qcow2,file="+image)
	} else if format != string(disk.Net) {
		args = append(args, "-drive", "if=none,id=d,format=raw,file="+image)
	}
	switch way {
	case "virtio":
		args = append(args, "-device", "virtio-blk-pci,drive=d,bootindex=0")
		want = append(want, "disk /dev/vda3: <nil>")
	case "ide":
		args = append(args, "-device", "ide-hd,drive=d,bootindex=0")
	case "cd":
		args = append(args, "-device", "ide-cd,drive=d,bootindex=0")
	case "usb":
		args = append(args, "-device", "qemu-xhci", "-device", "usb-storage,drive=d,bootindex=0")
	case "nvme":
		args = append(args, "-device", "nvme,serial=1,drive=d,bootindex=0")
	case "tftp":
		if out, err := exec.Command("tar", "-C", dir, "-xf", image).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		user += ",tftp=" + dir + ",bootfile=" + map[string]string{"bios": "boot/grub/bios.0", "uefi": "EFI/BOOT/BOOTX64.EFI"}[c.firmware]
	}
	data := filepath.Join(dir, "data")
	if way != "virtio" { // there is a disk for the program alone
		if err := os.WriteFile(data, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-drive", "if=none,id=data,format=raw,file="+data, "-device", "virtio-blk-pci,drive=data")
		want = append(want, "disk /dev/vda: <nil>")
	}
	card := "virtio-net-pci,netdev=net"
	if way == "tftp" {
		card += ",bootindex=0"
	} else {
		card += ",romfile=" // OVMF would boot from it
	}
	args = append(args, "-netdev", user, "-device", card)
	if c.firmware == "uefi" {
		// Its variables are in memory, and gone with the machine.
		args = append(args, "-drive", "if=pflash,format=raw,readonly=on,file="+ovmf)
	}
	status := 0
	if !c.off {
		args = append(args, "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
		status = 7<<1 | 1
	}
	out, got := runMachine(t, "", path, args...)
	checkMachine(t, out, got, want, status)
	// What the program wrote is where it was to be.
	if b := make([]byte, 7); way != "virtio" {
		if f, err := os.ReadFile(data); err != nil || !strings.HasPrefix(string(f), "written") {
			t.Errorf("the disk has %q, %v", f[:min(len(f), 7)], err)
		}
	} else if f, err := os.Open(image); err != nil {
		t.Error(err)
	} else if _, err := f.ReadAt(b, 36<<20); format == string(disk.Raw) && (string(b) != "written" || err != nil) {
		t.Errorf("the third partition has %q, %v", b, err)
	}
	if t.Failed() {
		t.Logf("%s %q:\n%s", path, args, out)
	}
}

// TestGuestDiskExamples types what docs/IMAGES.md has of disks, CDs and network boot.
func TestGuestDiskExamples(t *testing.T) {
	needGuest(t)
	if os.Getenv("YOLK_MACHINES") == "" {
		t.Skip("takes minutes; run by make machines")
	}
	bootTools(t, disk.Raw, disk.ISO, disk.Net)
	script, _ := examples(t, "../../docs/IMAGES.md", "Disks, CDs, network boot")
	const prepare = "set -e\ngo mod init example.com/hello 2>/dev/null\ncat >main.go <<'EOF'\npackage main\n\nimport (\"flag\"; \"fmt\")\n\n" +
		"func main() {\n\tgreeting := flag.String(\"greeting\", \"hello\", \"\")\n\tflag.Parse()\n\tfmt.Println(*greeting, \"from here\")\n}\nEOF\n"
	got := typeIn(t, prepare+script)
	if boots, greetings := strings.Count(script, "\nqemu-system-x86_64"), strings.Count(got.stdout, " from here"); got.status != 0 || greetings != boots || boots != 4 ||
		strings.Count(got.stdout, "good morning from here") != 1 {
		t.Errorf("status %d, %d greetings of %d: %s%s", got.status, greetings, boots, got.stdout, got.stderr)
	}
}

// TestGuestImageSame: the same sources give the same image in whatever directory it is built, and
// whatever times they have there.
func TestGuestImageSame(t *testing.T) {
	needGuest(t)
	bootTools(t, disk.Net)
	var images [2][]byte
	for i := range images {
		source, out := program(t, "machine"), filepath.Join(t.TempDir(), "image.tar")
		when := time.Unix(1e9*int64(i+1), 0)
		if err := os.Chtimes(filepath.Join(source, "main.go"), when, when); err != nil {
			t.Fatal(err)
		}
		if got := runCommand(t, yolkCommand(t, source, "image", "-o", out, "--root", source, ".")); got.status != 0 {
			t.Fatalf("%+v", got)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		images[i] = b
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Errorf("images of %d and %d bytes differ", len(images[0]), len(images[1]))
	}
}
