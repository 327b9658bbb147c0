package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/disk"
	"github.com/yolkos/yolk/qemu"
)

// machineCell is a machine of QEMU's, without a launcher: an image, a serial port and
// nothing else. docs/MACHINES.md has the table.
type machineCell struct {
	machine, cpu, memory string
	cpus                 int
	args                 []string // more of QEMU's
	off                  bool     // ACPI turns it off: there is no isa-debug-exit
	fails                string   // what it says instead of starting the program
	always               bool     // in make test, too
}

// machineCells is the matrix, by one dimension after the other. With YOLK_MACHINES set
// all are run, else those that cost little and find the most.
var machineCells = []machineCell{
	{machine: "microvm,acpi=off,rtc=on", cpu: "max", memory: "64", cpus: 1},
	{machine: "microvm,acpi=off,pic=off,rtc=off", cpu: "qemu64,-rdrand,-xsave", memory: "64", cpus: 2, always: true},
	{machine: "microvm,acpi=on,rtc=on", cpu: "Nehalem", memory: "128", cpus: 2, off: true, always: true},
	{machine: "microvm,acpi=on,pcie=on", cpu: "max", memory: "128", cpus: 3, off: true},
	{machine: "microvm,acpi=off,pit=off", cpu: "max", memory: "64", cpus: 1, fails: "nothing tells the rate of the time-stamp counter"},
	{machine: "q35", cpu: "max", memory: "64", cpus: 1, off: true},
	{machine: "q35,pit=off", cpu: "Skylake-Server", memory: "128", cpus: 4, off: true, always: true},
	{machine: "q35,hpet=off", cpu: "max,-invtsc", memory: "128", cpus: 2},
	{machine: "pc", cpu: "EPYC", memory: "128", cpus: 2, off: true, always: true},
	{machine: "pc,acpi=off", cpu: "max", memory: "128", cpus: 2},
	{machine: "q35", cpu: "qemu64,-rdrand,-xsave", memory: "128", cpus: 2},
	{machine: "q35", cpu: "Nehalem", memory: "128", cpus: 2},
	{machine: "q35", cpu: "Skylake-Server,-x2apic", memory: "128", cpus: 2},
	{machine: "q35", cpu: "EPYC", memory: "128", cpus: 2},
	{machine: "q35", cpu: "max,x2apic=on", memory: "128", cpus: 2},
	{machine: "q35", cpu: "max,la57=on", memory: "128", cpus: 2},
	{machine: "q35", cpu: "max,pdpe1gb=off", memory: "128", cpus: 2},
	{machine: "q35", cpu: "max,invtsc=on", memory: "128", cpus: 2},
	{machine: "q35", cpu: "qemu32", memory: "128", cpus: 1, fails: "yolk: no 64-bit CPU", always: true},
	{machine: "q35", cpu: "qemu64,-nx", memory: "128", cpus: 1, fails: "yolk: no 64-bit CPU"},
	{machine: "q35", cpu: "max", memory: "4G", cpus: 2},
	{machine: "microvm,acpi=off", cpu: "max", memory: "4G", cpus: 2},
	{machine: "q35,memory-backend=m", cpu: "max", memory: "64G", cpus: 1, args: reserved("64G")},
	{machine: "q35,memory-backend=m", cpu: "max,phys-bits=46", memory: "1T", cpus: 1, args: reserved("1T")},
	{machine: "q35", cpu: "max", memory: "256", cpus: 16},
	{machine: "q35", cpu: "max", memory: "512", cpus: 64},
	{machine: "q35", cpu: "max", memory: "512", cpus: 70},
	{machine: "q35", cpu: "max", memory: "256", cpus: 4, args: []string{
		"-object", "memory-backend-ram,id=a,size=128M", "-object", "memory-backend-ram,id=b,size=128M",
		"-numa", "node,nodeid=0,memdev=a,cpus=0-1", "-numa", "node,nodeid=1,memdev=b,cpus=2-3"}},
}

// reserved is memory that takes none of the host until it is used.
func reserved(size string) []string {
	return []string{"-object", "memory-backend-ram,id=m,reserve=off,size=" + size}
}

func TestGuestMachines(t *testing.T) {
	needGuest(t)
	image := machineImage(t)
	for _, c := range machineCells {
		if !c.always && os.Getenv("YOLK_MACHINES") == "" {
			continue
		}
		t.Run(fmt.Sprintf("%s/%s/%s/%d", c.machine, c.cpu, c.memory, c.cpus), func(t *testing.T) { c.run(t, image) })
	}
}

// machineImage builds testdata/machine.
func machineImage(t *testing.T) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if out, err := yolkCommand(t, program(t, "machine"), "build", "-o", image, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return image
}

func (c *machineCell) run(t *testing.T, image string) {
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-M", c.machine + ",accel=" + machineAccel(), "-cpu", c.cpu, "-m", c.memory, "-smp", fmt.Sprint(c.cpus),
		"-kernel", image, "-append", `nonsense yolk.env=MACHINE="a b" -- read 'c "d' \e`}, c.args...)
	status := 0
	if !c.off {
		args = append(args, "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
		status = 7<<1 | 1
	}
	want := []string{`args ["yolk" "read" "c \"d" "e"]`, `env "a b"`, fmt.Sprintf("cpus %d\n", min(c.cpus, qemu.MaxCPUs)), "counted true", "collected true, kept 8",
		`read "hello"`, "interrupts true", "done"}
	if strings.Contains(c.fails, "rate") && machineAccel() != "tcg" {
		t.Skip("KVM tells the rate")
	}
	if c.fails != "" {
		want, status = []string{c.fails}, 1<<1|1
	}
	out, got := runMachine(t, "hello\n", path, args...)
	if strings.Contains(out, "Cannot allocate memory") {
		t.Skipf("this host does not let QEMU have %s: %s", c.memory, out)
	}
	checkMachine(t, out, got, want, status)
	if t.Failed() {
		t.Logf("%s %q:\n%s", path, args, out)
	}
}

// checkMachine judges what a machine printed and the status that it ended with, which is to be
// status; there is to be each text of want, and nothing to be said of the firmware's tables.
func checkMachine(t *testing.T, out string, got int, want []string, status int) {
	t.Helper()
	if got != status {
		t.Errorf("status %d, want %d", got, status)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("it does not say %q", w)
		}
	}
	if strings.Contains(out, "acpi: ") {
		t.Error("something is wrong with the tables")
	}
}

// machineAccel is what runs the machines' instructions: make test ACCEL=kvm.
func machineAccel() string {
	if a := os.Getenv("YOLK_ACCEL"); a != "" && a != string(qemu.Auto) {
		return a
	}
	return string(qemu.TCG)
}

// runMachine runs a monitor and returns what it prints and its status. The limit is for
// what hangs.
func runMachine(t *testing.T, input, path string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("it hangs:\n%s", out)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n"), cmd.ProcessState.ExitCode()
}

// TestGuestModule: without a command line, arguments come from an archive that the boot
// loader has as a module.
func TestGuestModule(t *testing.T) {
	needGuest(t)
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	image, dir := machineImage(t), t.TempDir()
	layOut(t, dir, map[string]string{"opt/yolk/args": "prog\x00one\x00two words\x00", "opt/yolk/env": "MACHINE=x\x00"})
	archive := filepath.Join(dir, "module.tar")
	if out, err := exec.Command("tar", "--format=ustar", "-C", dir, "-cf", archive, "opt").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, machine := range []string{"microvm,acpi=off", "q35"} {
		out, status := runMachine(t, "", path, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
			"-M", machine+",accel="+machineAccel(), "-m", "64", "-kernel", image, "-initrd", archive, "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
		if status != 7<<1|1 || !strings.Contains(out, `args ["prog" "one" "two words"]`) || !strings.Contains(out, `env "x"`) {
			t.Errorf("%s: status %d:\n%s", machine, status, out)
		}
	}
}

// TestGuestBrokenBoot: what a loader or an image brings that is broken is told, by its name and place, and the rest
// counts.
func TestGuestBrokenBoot(t *testing.T) {
	needGuest(t)
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	layOut(t, dir, map[string]string{"junk": strings.Repeat("junk", 1000), "root/hello": "hello"})
	image := filepath.Join(dir, "image")
	if out, err := yolkCommand(t, program(t, "machine"), "build", "-o", image, "--root", filepath.Join(dir, "root"), ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The file's inode, behind that of the root, says that its contents are longer than all.
	b, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte("YOLKFS01"))
	b[at+64+64+48+5] = 1
	if err := os.WriteFile(image, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, machine := range []string{"microvm,acpi=off,rtc=on", "q35"} {
		for _, c := range []struct {
			args []string
			want []string
		}{
			{[]string{"-append", `yolk.env=MACHINE=x yolk.env=A yolk.nonsense -- open /hello 'a b`}, []string{
				`kernel command line: nothing closes the last '`, `"yolk.env=A": want yolk.env=NAME=VALUE`,
				`"yolk.nonsense": no such setting`, `args ["yolk" "open" "/hello" "a b"]`, `env "x"`,
				"the root in the image: lstat hello: damaged archive: inode 1: 1099511627781 contents at ", "open /hello: input/output error"}},
			{[]string{"-initrd", filepath.Join(dir, "junk")}, []string{"the boot loader's module: no header of a tar archive (ustar) at byte 0", `args ["machine"]`}},
		} {
			args := append([]string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-M", machine + ",accel=" + machineAccel(),
				"-m", "64", "-kernel", image, "-device", "isa-debug-exit,iobase=0xf4,iosize=4"}, c.args...)
			out, status := runMachine(t, "", path, args...)
			checkMachine(t, out, status, c.want, 7<<1|1)
			if t.Failed() {
				t.Fatalf("%s %q:\n%s", path, args, out)
			}
		}
	}
}

// grubDisc makes a CD with GRUB on it, which starts an image by Multiboot 2. A test
// without grub-mkrescue is skipped.
func grubDisc(t *testing.T, image string) string {
	t.Helper()
	if _, err := exec.LookPath("grub-mkrescue"); err != nil {
		t.Skip("needs grub-mkrescue, for BIOS: packages grub-pc-bin, grub-common, xorriso, mtools")
	}
	dir := t.TempDir()
	layOut(t, dir, map[string]string{"boot/grub/grub.cfg": "set timeout=0\nmultiboot2 /boot/image yolk.env=MACHINE=grub -- 'a b'\nboot\n"})
	if err := os.Link(image, filepath.Join(dir, "boot/image")); err != nil {
		t.Fatal(err)
	}
	disc := filepath.Join(t.TempDir(), "disc.iso")
	if out, err := exec.Command("grub-mkrescue", "-o", disc, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return disc
}

// TestGuestMultiboot boots by SeaBIOS and GRUB.
func TestGuestMultiboot(t *testing.T) {
	needGuest(t)
	disc := grubDisc(t, machineImage(t))
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	for _, machine := range []string{"q35", "pc"} {
		out, status := runMachine(t, "", path, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
			"-M", machine+",accel="+machineAccel(), "-m", "128", "-smp", "2", "-cdrom", disc)
		if status != 0 || !strings.Contains(out, `args ["yolk" "a b"]`) || !strings.Contains(out, `env "grub"`) || !strings.Contains(out, "cpus 2\n") || !strings.Contains(out, "done") {
			t.Errorf("%s: status %d:\n%s", machine, status, out)
		}
	}
}

// TestGuestBochs boots CDs and disks in Bochs, which checks more than TCG does and has
// x2APIC and TSC deadlines. It takes minutes, so it is for YOLK_MACHINES.
func TestGuestBochs(t *testing.T) {
	needGuest(t)
	if os.Getenv("YOLK_MACHINES") == "" {
		t.Skip("takes minutes; run by make machines")
	}
	for _, tool := range []string{"bochs", "script"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: packages bochs, bochs-term, bochsbios, vgabios", tool)
		}
	}
	bootTools(t, disk.ISO, disk.Raw)
	source, images := program(t, "machine"), t.TempDir()
	for _, name := range []string{"cdrom.iso", "disk.raw"} {
		out, err := yolkCommand(t, source, "image", "-o", filepath.Join(images, name), "--args", "'a b'", "--env", "MACHINE=grub", ".").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, c := range []struct {
		model  string
		cpus   int
		medium string
	}{
		{"core2_penryn_t9600", 1, "cdrom.iso"}, {"corei7_sandy_bridge_2600k", 1, "disk.raw"}, {"corei7_sandy_bridge_2600k", 4, "cdrom.iso"},
		{"corei7_skylake_x", 2, "disk.raw"}, {"ryzen", 1, "cdrom.iso"},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.model, c.cpus), func(t *testing.T) {
			dir := t.TempDir()
			file := func(name string) string { return filepath.Join(dir, name) }
			kind, _, _ := strings.Cut(c.medium, ".")
			how := "status=inserted"
			if kind == "disk" {
				how = "mode=flat" // the geometry is that of its size
			}
			layOut(t, dir, map[string]string{"go": "c\n", "rc": fmt.Sprintf(`config_interface: textconfig
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=%s, count=%d, ips=50000000, reset_on_triple_fault=0
memory: guest=256, host=256
ata0-master: type=%s, path=%s, %s
boot: %[3]s
com1: enabled=1, mode=file, dev=%[6]s
log: %[7]s
panic: action=fatal
error: action=report
info: action=ignore
clock: sync=none
`, c.model, c.cpus, kind, filepath.Join(images, c.medium), how, file("serial"), file("log"))})
			// It wants a terminal.
			screen, _ := runMachine(t, "", "script", "-qec", fmt.Sprintf("bochs -q -f %s -rc %s", file("rc"), file("go")), "/dev/null")
			serial, _ := os.ReadFile(file("serial"))
			out := strings.ReplaceAll(string(serial), "\r\n", "\n")
			for _, w := range []string{`args ["machine" "a b"]`, `env "grub"`, fmt.Sprintf("cpus %d\n", c.cpus), "counted true", "done"} {
				if !strings.Contains(out, w) {
					t.Errorf("it does not say %q", w)
				}
			}
			if !strings.Contains(screen, "soft power off") {
				t.Error("ACPI has not turned it off")
			}
			if t.Failed() {
				log, _ := os.ReadFile(file("log"))
				t.Logf("serial port:\n%s\nend of the log:\n%s", out, log[max(0, len(log)-2000):])
			}
		})
	}
}
