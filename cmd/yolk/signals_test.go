package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/qemu"
)

// signalled is a run of testdata/signals that is ready for signals.
type signalled struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

// signalImage builds testdata/signals, with which tests boot faster.
func signalImage(t *testing.T) string {
	needGuest(t)
	dir := program(t, "signals")
	image := filepath.Join(dir, "signals.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	return image
}

// startSignalled boots it in a process group of its own. What takes five minutes
// hangs.
func startSignalled(t *testing.T, image string, args ...string) *signalled {
	t.Helper()
	s := &signalled{t: t, cmd: yolkCommand(t, filepath.Dir(image), append([]string{"run", "-q", "--timeout", "300s"}, args...)...)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	s.lines = bufio.NewScanner(out)
	s.expect("ready")
	return s
}

// expect reads a line that begins with want, and returns the rest of it.
func (s *signalled) expect(want string) string {
	s.t.Helper()
	if !s.lines.Scan() {
		_ = s.cmd.Wait()
		s.t.Fatalf("no %q: %v\n%s", want, s.cmd.ProcessState, s.stderr.String())
	}
	rest, ok := strings.CutPrefix(s.lines.Text(), want)
	if !ok {
		s.t.Fatalf("line %q, want %q", s.lines.Text(), want)
	}
	return rest
}

func (s *signalled) send(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end, with a status.
func (s *signalled) ends(status int) {
	s.t.Helper()
	for s.lines.Scan() {
		s.t.Errorf("line %q", s.lines.Text())
	}
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != status {
		s.t.Errorf("%v, want status %d\n%s", s.cmd.ProcessState, status, s.stderr.String())
	}
}

func onSignalMachines(t *testing.T, f func(t *testing.T, start func(args ...string) *signalled)) {
	image := signalImage(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			f(t, func(args ...string) *signalled {
				t.Helper()
				return startSignalled(t, image, append([]string{"--machine", machine, image}, args...)...)
			})
		})
	}
}

// TestGuestSignals sends signals to yolk: the program gets them, and they do to it
// what they do to any Go program.
func TestGuestSignals(t *testing.T) {
	onSignalMachines(t, func(t *testing.T, start func(args ...string) *signalled) {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
			s := start("default")
			for _, harmless := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT, 40} {
				s.send(harmless)
			}
			s.send(sig)
			s.ends(128 + int(sig))
		}

		s := start("spin")
		s.send(syscall.SIGQUIT)
		s.ends(2)
		text := s.stderr.String()
		// Goroutine 1 may be about to return from the write that said "ready".
		whose := map[bool]int{}
		for _, g := range strings.Split(text, "\n\n") {
			if strings.HasPrefix(g, "goroutine ") {
				whose[strings.Contains(g, "\nmain.main()\n") || strings.Contains(g, "\nmain.main.func1()\n") && strings.Contains(g, "\ncreated by main.main ")]++
			}
		}
		if !strings.Contains(text, "SIGQUIT: quit\n") || !strings.Contains(text, "\ngoroutine 1 [") || whose[true] != 2 || whose[false] != 0 {
			t.Errorf("SIGQUIT shows %d goroutines of the program and %d others, want 2 and none, in %s", whose[true], whose[false], text)
		}

		s = start("notify")
		for _, sig := range []syscall.Signal{
			syscall.SIGUSR1, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT, 40,
		} {
			s.send(sig)
			s.expect("got " + sig.String())
		}
		s.send(syscall.SIGTERM)
		s.expect("got terminated")
		s.ends(3)

		s = start("ignore")
		s.send(syscall.SIGINT)
		s.send(syscall.SIGHUP)
		s.send(syscall.SIGUSR1)
		s.expect("got user defined signal 1")
		s.send(syscall.SIGTERM)
		s.ends(143)
	})
}

// TestGuestSignalEnds ends a program that does nothing about its signals.
func TestGuestSignalEnds(t *testing.T) {
	onSignalMachines(t, func(t *testing.T, start func(args ...string) *signalled) {
		s := start("deaf")
		s.send(syscall.SIGINT)
		s.expect("got interrupt") // the first one is the program's
		s.send(syscall.SIGINT)
		s.ends(130)
	})
	image := signalImage(t)
	s := startSignalled(t, image, "--stop-timeout", "100ms", image, "deaf")
	s.send(syscall.SIGTERM)
	s.expect("got terminated")
	s.ends(143)
	if !strings.Contains(s.stderr.String(), "has not ended within 100ms of SIGTERM") {
		t.Errorf("it says %q", s.stderr.String())
	}
}

// TestGuestSelf has a program send signals to itself.
func TestGuestSelf(t *testing.T) {
	image := signalImage(t)
	for _, machine := range machines {
		r := runCommand(t, yolkCommand(t, filepath.Dir(image), "run", "-q", "--timeout", "300s", "--machine", machine, image, "self"))
		want := "0 user defined signal 1\n1 user defined signal 2\n2 user defined signal 1\n3 user defined signal 1\nno such process <nil>\n"
		if r.status != 0 || r.stdout != want {
			t.Errorf("%s: status %d, %s%s", machine, r.status, r.stdout, r.stderr)
		}
		for sig, status := range map[syscall.Signal]int{
			syscall.SIGKILL: 137, syscall.SIGTERM: 143, syscall.SIGABRT: 2, syscall.SIGUSR1: 0, syscall.SIGCHLD: 0,
		} {
			r := runCommand(t, yolkCommand(t, filepath.Dir(image), "run", "-q", "--timeout", "300s", "--machine", machine, image, "kill", fmt.Sprint(int(sig))))
			if r.status != status || status == 0 && r.stdout != "<nil>\n" {
				t.Errorf("%s, %v: status %d, %s%s", machine, sig, r.status, r.stdout, r.stderr)
			}
		}
	}
}

// waitState waits until yolk is stopped, or has been continued, as a shell does.
func (s *signalled) waitState(options int) syscall.WaitStatus {
	s.t.Helper()
	var status syscall.WaitStatus
	for {
		pid, err := syscall.Wait4(s.cmd.Process.Pid, &status, options, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid != s.cmd.Process.Pid {
			s.t.Fatalf("wait: %d, %v", pid, err)
		}
		return status
	}
}

// TestGuestStop is a shell that stops a job and has it go on: by its own signal, as
// of Ctrl-Z, and because the program stops itself, as editors do.
func TestGuestStop(t *testing.T) {
	onSignalMachines(t, func(t *testing.T, start func(args ...string) *signalled) {
		s := start("default")
		for range 2 {
			s.send(syscall.SIGTSTP)
			if status := s.waitState(syscall.WUNTRACED); !status.Stopped() || status.StopSignal() != syscall.SIGTSTP {
				t.Fatalf("wait status %#x", int(status))
			}
			s.send(syscall.SIGCONT)
		}
		s.send(syscall.SIGTERM)
		s.ends(143)

		s = start("stop")
		for range 2 {
			if status := s.waitState(syscall.WUNTRACED); status.StopSignal() != syscall.SIGTSTP {
				t.Fatalf("wait status %#x", int(status))
			}
			time.Sleep(3 * time.Second) // both clocks go on
			s.send(syscall.SIGCONT)
			var seconds, off int
			rest := s.expect("continued after ")
			if _, err := fmt.Sscanf(rest, "%d s, %d s off", &seconds, &off); err != nil || seconds < 2 || off > 1 {
				t.Errorf("continued after %s", rest)
			}
		}
		s.waitState(syscall.WUNTRACED)
		s.send(syscall.SIGKILL)
	})
}

// TestGuestPowerButton presses the power button of machines that are started by hand,
// as README has it: that is SIGTERM, for a program that asks for it and for one that
// does not.
func TestGuestPowerButton(t *testing.T) {
	image := signalImage(t)
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	for _, machine := range []string{"microvm,rtc=on", "microvm,rtc=on,ioapic2=off", "q35"} {
		for mode, want := range map[string]struct {
			line   string
			status int
		}{"notify": {"got terminated", 3}, "default": {"", 143 & 0x7f}} {
			t.Run(machine+"/"+mode, func(t *testing.T) {
				ours, theirs := monitor(t)
				args := filepath.Join(filepath.Dir(image), mode) // a path without commas
				if err := os.WriteFile(args, []byte("signals\x00"+mode+"\x00"), 0o644); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(path, "-M", machine, "-cpu", "max", "-smp", "1,maxcpus=2", "-m", "256", "-kernel", image,
					"-display", "none", "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
					"-fw_cfg", "name=opt/yolk/args,file="+args, "-chardev", "socket,id=mon,fd=3", "-mon", "chardev=mon")
				cmd.ExtraFiles = []*os.File{theirs}
				cmd.Stderr = os.Stderr
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				hang := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
				defer hang.Stop()
				theirs.Close()
				var text strings.Builder
				for lines := bufio.NewScanner(out); lines.Scan(); {
					fmt.Fprintln(&text, lines.Text())
					if lines.Text() == "ready" {
						fmt.Fprintln(ours, "system_powerdown")
					}
				}
				_ = cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != 2*want.status+1 || !strings.Contains(text.String(), want.line) {
					t.Errorf("QEMU's status %d, want %d; it printed\n%s", got, 2*want.status+1, &text)
				}
			})
		}
	}
}

// monitor makes the two ends of a connection to QEMU's monitor.
func monitor(t *testing.T) (ours, theirs *os.File) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs = os.NewFile(uintptr(fds[0]), "monitor"), os.NewFile(uintptr(fds[1]), "monitor")
	t.Cleanup(func() { ours.Close() })
	return ours, theirs
}
