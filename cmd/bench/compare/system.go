package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/qemu"
)

// Guests get the same memory, and no more time than this.
const (
	guestMemory = 1 << 30 // bytes
	guestTime   = 2 * time.Minute
)

// Names of the programs that are run.
const (
	benchProgram = "bench"
	helloProgram = "hello"
)

// linuxCommandLine: its messages would slow the console down; a panic, and the
// end of the program, reset the machine, which ends QEMU.
const linuxCommandLine = "console=ttyS0 quiet panic=-1 reboot=t"

// linuxAppend is the kernel's command line. A microvm with ACPI has no timer
// that Linux could measure the TSC by, so it is told the rate where KVM
// does not tell.
func (l *lab) linuxAppend() string {
	if l.accel == qemu.KVM || l.tsc == 0 {
		return linuxCommandLine
	}
	return fmt.Sprintf("%s tsc=reliable tsc_early_khz=%d", linuxCommandLine, l.tsc)
}

// system is one of those that are compared.
type system struct {
	name    string // the key of its results
	title   string
	machine qemu.Machine // empty: the host
	cache   string       // of Linux's virtiofsd; empty: Yolk
	cpus    int
	only    string // groups of rows to measure here; empty: all but compute
}

// parallelRows are the groups for which systems with one CPU and with two are
// compared.
const parallelRows = "mixed,compute"

// parallelTurns is how often these systems have their turn in a round: they are
// quick, and what a CPU of the host does at a time varies much.
const parallelTurns = 3

func (s *system) isHost() bool  { return s.machine == "" }
func (s *system) isLinux() bool { return s.cache != "" }

// systems lists the host and, for each machine, Linux with both cache modes
// and Yolk; and all again with one CPU and with two, for the rows that show what
// the second one gives.
func systems(machines []qemu.Machine) []*system {
	list := []*system{{name: "host", title: "host"}}
	for cpus := 1; cpus <= 2; cpus++ {
		list = append(list, &system{name: parallelName("host", "", cpus), title: "host", cpus: cpus, only: parallelRows})
	}
	for _, m := range machines {
		for _, cache := range []string{"auto", "none"} {
			list = append(list, &system{
				name: "linux-" + cache + "-" + string(m), title: "Linux, cache=" + cache, machine: m, cache: cache,
			})
		}
		list = append(list, &system{name: "yolk-" + string(m), title: "Yolk", machine: m})
		for cpus := 1; cpus <= 2; cpus++ {
			list = append(list,
				&system{name: parallelName("linux", m, cpus), title: "Linux", machine: m, cache: "auto", cpus: cpus, only: parallelRows},
				&system{name: parallelName("yolk", m, cpus), title: "Yolk", machine: m, cpus: cpus, only: parallelRows})
		}
	}
	return list
}

// parallelName is the name of a system for the rows about several CPUs.
func parallelName(what string, m qemu.Machine, cpus int) string {
	if what == "host" {
		return fmt.Sprintf("host-cpus%d", cpus)
	}
	return fmt.Sprintf("%s-%s-cpus%d", what, m, cpus)
}

// lab is what all runs share.
type lab struct {
	dir   string // for programs and images: NAME is for Linux, NAME.yolk for Yolk
	root  string // directory that is shared
	accel qemu.Accel
	linux *linux
	tsc   uint64 // kHz
	trace io.Writer
}

// run runs a program in a system. Each line that it prints goes to see as it
// comes.
func (l *lab) run(ctx context.Context, s *system, program string, memory uint64, limit time.Duration, args []string, see func(line string)) error {
	out := &lineWriter{see: see}
	image := filepath.Join(l.dir, program)
	switch {
	case s.isHost():
		cmd := exec.CommandContext(ctx, image, append([]string{"-root", l.root}, args...)...)
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if s.cpus > 0 {
			cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", s.cpus))
		}
		return cmd.Run()
	case s.isLinux():
		initrd := filepath.Join(l.dir, "initrd")
		err := l.linux.writeInitrd(ctx, initrd, s.machine, image, append([]string{"-root", guest.MountDir}, args...))
		if err != nil {
			return err
		}
		return qemu.RunLinux(ctx, &qemu.LinuxOptions{
			Kernel: l.linux.kernel, Initrd: initrd, Append: l.linuxAppend(),
			Machine: s.machine, Accel: l.accel, Memory: memory, CPUs: s.cpus, Cache: qemu.Cache(s.cache), Timeout: limit,
			Share: qemu.Share{Tag: "root", Dir: l.root}, Console: out, Trace: l.trace,
		})
	}
	kernel, err := os.Open(image + ".yolk")
	if err != nil {
		return err
	}
	status, err := qemu.Run(ctx, &qemu.Options{
		Kernel: kernel, Args: append([]string{program, "-root", "/"}, args...), Dir: "/", Quiet: true,
		Machine: s.machine, Accel: l.accel, Memory: memory, CPUs: s.cpus, Timeout: limit,
		Shares: []qemu.Share{{Tag: "root", Dir: l.root}}, Daemon: qemu.Virtiofsd,
		Stdout: out, Stderr: os.Stderr, Console: os.Stderr, Notes: os.Stderr, Trace: l.trace,
	})
	if err == nil && status != 0 {
		err = fmt.Errorf("status %d", status)
	}
	return err
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
