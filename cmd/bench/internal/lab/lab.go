// Package lab runs one program on the host, in a Linux guest, where it is process
// 1, and in Yolk, on the same machine.
package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/tsc"
	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain/usercache"
)

// System is where a program runs.
type System struct {
	Machine qemu.Machine // empty: the host
	Cache   qemu.Cache   // of Linux's virtiofsd; empty: Yolk
	CPUs    int          // 0: one
	Count   bool         // the guest's clock counts instructions, one a nanosecond
	Seed    int          // with Bare: where the random numbers begin
	Network qemu.Network // of a guest; the zero value is none
	Bare    bool         // the machine has no device but a serial port, and nothing outside has a say; Yolk
	QEMU    []string     // more arguments of a guest's QEMU
	Disk    string       // a file that is a guest's /dev/vda; empty: none
}

// qemuArgs are those of QEMU's own, with those that qemu has for the disk of a machine with one CPU.
func (s *System) qemuArgs() []string {
	if s.Disk == "" {
		return s.QEMU
	}
	device := "virtio-blk-pci"
	if s.Machine == qemu.MicroVM {
		device = "virtio-blk-device"
	}
	return append(slices.Clone(s.QEMU), "-blockdev", "driver=file,node-name=file0,filename="+s.Disk+",discard=unmap",
		"-blockdev", "driver=raw,node-name=disk0,file=file0,discard=unmap", "-device", device+",drive=disk0,serial=vda,num-queues=1")
}

// IsHost tells that there is no guest.
func (s *System) IsHost() bool { return s.Machine == "" }

// IsLinux tells a Linux guest from Yolk.
func (s *System) IsLinux() bool { return s.Cache != "" }

// Name is what the system is called.
func (s *System) Name() string {
	switch {
	case s.IsHost():
		return "the host"
	case s.IsLinux():
		return "Linux"
	}
	return "Yolk"
}

// Lab is what all runs share.
type Lab struct {
	Dir   string // for programs and images: NAME is for Linux, NAME.yolk for Yolk
	Cache string // New's: the directory that all benches of this user keep things in
	Root  string // directory that is shared
	Accel qemu.Accel
	Linux *Linux
	TSC   uint64 // kHz; 0: not known
	Yolk  string // the yolk command, where there is a Network
	Trace io.Writer
}

// New makes a lab with a directory of its own and one below that to share, in this user's cache. Verbose has it show the
// commands that it runs.
func New(name string, verbose bool) (*Lab, error) {
	cache, err := usercache.Find("bench", "benches")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache.Path, 0o755); err != nil {
		return nil, cache.Explain(err)
	}
	l := &Lab{Cache: cache.Path, TSC: tsc.KHz()}
	if l.Dir, err = os.MkdirTemp(cache.Path, name+"-"); err != nil {
		return nil, cache.Explain(err)
	}
	l.Root = filepath.Join(l.Dir, "root")
	if verbose {
		l.Trace = os.Stderr
	}
	return l, os.Mkdir(l.Root, 0o755)
}

// Close removes the directory of New.
func (l *Lab) Close() error { return os.RemoveAll(l.Dir) }

// FetchLinux gets Linux, which stays for the next lab of New.
func (l *Lab) FetchLinux(ctx context.Context) (err error) {
	l.Linux, err = fetchLinux(ctx, l.Cache)
	return err
}

// linuxCommandLine: its messages would slow the console down; a panic, and the
// end of the program, reset the machine, which ends QEMU.
const linuxCommandLine = "console=ttyS0 quiet panic=-1 reboot=t"

// linuxAppend is the kernel's command line. A microvm with ACPI has no timer
// that Linux could measure the TSC by, so it is told the rate where KVM
// does not tell.
func (l *Lab) linuxAppend(s *System) string {
	if s.Count {
		return linuxCommandLine + " tsc=reliable tsc_early_khz=1000000 init_on_alloc=0"
	}
	khz := l.TSC
	if l.Accel == qemu.KVM || khz == 0 {
		return linuxCommandLine
	}
	return fmt.Sprintf("%s tsc=reliable tsc_early_khz=%d", linuxCommandLine, khz)
}

// Build makes a program for Linux and for Yolk with the yolk command.
func (l *Lab) Build(ctx context.Context, yolk, name, pkg string) error {
	if err := l.BuildLinux(ctx, name, pkg); err != nil {
		return err
	}
	return l.BuildYolk(ctx, yolk, name, pkg, "-s -w")
}

// BuildLinux makes a program for Linux.
func (l *Lab) BuildLinux(ctx context.Context, name, pkg string) error {
	_, err := Output(ctx, "", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(l.Dir, name), pkg)
	return err
}

// BuildYolk makes an image with the yolk command.
func (l *Lab) BuildYolk(ctx context.Context, yolk, name, pkg, ldflags string) error {
	_, err := Output(ctx, "", yolk, "build", "--ldflags="+ldflags, "-o", l.Image(name), pkg)
	return err
}

// Image is the file of a program for Yolk.
func (l *Lab) Image(name string) string { return filepath.Join(l.Dir, name+".yolk") }

// Run runs a program in a system. Each line that it prints goes to see as it
// comes.
func (l *Lab) Run(ctx context.Context, s *System, program string, memory uint64, limit time.Duration, args []string, see func(line string)) error {
	out := &lineWriter{see: see}
	scratch, err := os.MkdirTemp(l.Dir, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	image := filepath.Join(l.Dir, program)
	switch {
	case s.IsHost():
		cmd := exec.CommandContext(ctx, image, append([]string{"-root", l.Root}, args...)...)
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if s.CPUs > 0 {
			cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", s.CPUs))
		}
		return cmd.Run()
	case s.IsLinux():
		initrd := filepath.Join(scratch, "initrd")
		err := l.Linux.WriteInitrd(ctx, initrd, s, image, append([]string{"-root", guest.MountDir}, args...))
		if err != nil {
			return err
		}
		return qemu.RunLinux(ctx, &qemu.LinuxOptions{
			Kernel: l.Linux.Kernel, Initrd: initrd, Append: l.linuxAppend(s),
			Machine: s.Machine, Accel: l.Accel, Memory: memory, CPUs: s.CPUs, Count: s.Count, Cache: s.Cache, Timeout: limit,
			Share: qemu.Share{Tag: "root", Dir: l.Root}, Console: out, Trace: l.Trace,
			Network: s.Network, SelfNet: []string{l.Yolk, "serve-net"}, Extra: s.qemuArgs(),
		})
	}
	if s.Bare {
		return l.runBare(ctx, s, scratch, program, memory, limit, args, out)
	}
	kernel, err := os.Open(l.Image(program))
	if err != nil {
		return err
	}
	status, err := qemu.Run(ctx, &qemu.Options{
		Kernel: kernel, Args: append([]string{program, "-root", "/"}, args...), Dir: "/", Quiet: true,
		Machine: s.Machine, Accel: l.Accel, Memory: memory, CPUs: s.CPUs, Count: s.Count, Timeout: limit,
		Shares: []qemu.Share{{Tag: "root", Dir: l.Root}}, Daemon: qemu.Virtiofsd,
		Stdout: out, Stderr: os.Stderr, Console: os.Stderr, Notes: os.Stderr, Trace: l.Trace,
		Network: s.Network, SelfNet: []string{l.Yolk, "serve-net"}, Extra: s.qemuArgs(),
	})
	if err == nil && status != 0 {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// Collect runs a program of guest.Main's. Take gets the lines that it prints, and reports whether one is
// a result.
func (l *Lab) Collect(ctx context.Context, s *System, program string, memory uint64, limit time.Duration, args []string, take func(line string) bool) error {
	var failure error
	done, last := false, ""
	err := l.Run(ctx, s, program, memory, limit, args, func(line string) {
		if text, ok := guest.ParseFailure(line); ok {
			failure = errors.New(text)
		} else if line == guest.Done {
			done = true
		} else if !take(line) && line != "" {
			last = line
		}
	})
	switch {
	case err != nil || failure != nil:
		return errors.Join(failure, err)
	case !done:
		return fmt.Errorf("ended early, after %q", last)
	}
	return nil
}

// runBare runs a program with nothing but QEMU, whose standard output is the serial
// port. What ends the machine is a device whose status is never 0, so that the status is
// none.
func (l *Lab) runBare(ctx context.Context, s *System, scratch, program string, memory uint64, limit time.Duration, args []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	path, err := qemu.FindQEMU()
	if err != nil {
		return err
	}
	c := qemu.Config{Machine: s.Machine, Accel: l.Accel, Memory: memory, CPUs: s.CPUs, Count: s.Count, Kernel: l.Image(program), Extra: s.QEMU}
	files := map[string]string{"seed": fmt.Sprintf("%064d", s.Seed)}
	if len(args) > 0 {
		files["args"] = strings.Join(append([]string{program}, args...), "\x00") + "\x00"
	}
	command := append(c.Args(), "-serial", "stdio")
	for name, text := range files {
		file := filepath.Join(scratch, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
		command = append(command, "-fw_cfg", "name=opt/yolk/"+name+",file="+file)
	}
	cmd := exec.CommandContext(ctx, path, command...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return nil
}

// lineWriter passes lines on, without their ends.
type lineWriter struct {
	see  func(line string)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.see(strings.TrimRight(string(line), "\r"))
		w.rest = rest
	}
}
