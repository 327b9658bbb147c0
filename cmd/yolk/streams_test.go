package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// streamsProgram makes a module of its own of testdata/streams.
func streamsProgram(t *testing.T) string {
	t.Helper()
	dir := program(t, "streams")
	return dir
}

// streamsRun prepares a run of it. What takes five minutes hangs.
func streamsRun(t *testing.T, dir, machine string, args ...string) *exec.Cmd {
	return yolkCommand(t, dir, append([]string{"run", "-q", "--timeout", "300s", "--machine", machine, ".", "--"}, args...)...)
}

func onMachines(t *testing.T, f func(t *testing.T, dir, machine string)) {
	needGuest(t)
	dir := streamsProgram(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) { f(t, dir, machine) })
	}
}

// TestGuestOrder has what a program writes by os.Stdout, os.Stderr, println and a
// panic come out in its order wherever the two are one: a pipe, a file, a
// terminal's stand-in.
func TestGuestOrder(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		for _, kind := range []string{"pipe", "file", "append"} {
			t.Run(kind, func(t *testing.T) {
				cmd := streamsRun(t, dir, machine, "order", "300")
				var text string
				if kind == "pipe" {
					out, err := cmd.CombinedOutput() // one pipe
					text = string(out)
					checkStatus(t, cmd, err, 2)
				} else {
					name := filepath.Join(t.TempDir(), "out")
					flags := os.O_CREATE | os.O_RDWR
					if kind == "append" {
						flags |= os.O_APPEND
					}
					f, err := os.OpenFile(name, flags, 0o644)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					cmd.Stdout, cmd.Stderr = f, f
					if kind == "append" { // two open files, as of >>f 2>>f
						if cmd.Stderr, err = os.OpenFile(name, flags, 0o644); err != nil {
							t.Fatal(err)
						}
					}
					checkStatus(t, cmd, cmd.Run(), 2)
					data, _ := os.ReadFile(name)
					text = string(data)
				}
				want := ""
				for i := range 300 {
					want += fmt.Sprintf("line %d\n", i)
				}
				want += "panic: the end\n"
				if !strings.HasPrefix(text, want) || !strings.Contains(text, "goroutine 1 [running]") {
					compareLines(t, text[:min(len(text), len(want))], want)
				}
			})
		}
	})
}

func checkStatus(t *testing.T, cmd *exec.Cmd, err error, want int) {
	t.Helper()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("status %d, %v, want %d", got, err, want)
	}
}

// TestGuestErrorsBeforePanic: standard error alone.
func TestGuestErrorsBeforePanic(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		got := runCommand(t, streamsRun(t, dir, machine, "errors", "3000"))
		lines := strings.Split(got.stderr, "\n")
		if got.status != 2 || len(lines) < 3001 || !strings.HasPrefix(lines[2999], "line 2999 ") || lines[3000] != "panic: the end" {
			t.Errorf("status %d, %d lines, %.300q", got.status, len(lines), got.stderr[max(0, len(got.stderr)-1000):])
		}
	})
}

// slowReader reads little by little at first.
type slowReader struct{ r io.Reader }

func (s slowReader) all() (n int64) {
	buf := make([]byte, 1000)
	for range 300 {
		k, err := s.r.Read(buf)
		n += int64(k)
		if err != nil {
			return n
		}
		time.Sleep(5 * time.Millisecond)
	}
	rest, _ := io.Copy(io.Discard, s.r)
	return n + rest
}

// TestGuestDelivers: all that was written arrives, however late it is read, and
// whatever ends the program.
func TestGuestDelivers(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		for _, how := range []string{"much", "large"} {
			cmd := streamsRun(t, dir, machine, how, "20")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if n := (slowReader{out}).all(); n != 20<<20 {
				t.Errorf("%s: %d bytes, want %d", how, n, 20<<20)
			}
			checkStatus(t, cmd, cmd.Wait(), 9)
		}
		// A trace of 3000 goroutines fills more than pipe and socket hold.
		cmd := streamsRun(t, dir, machine, "trace", "3000")
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args = append(cmd.Args[:2:2], append([]string{"--env", "GOTRACEBACK=all"}, cmd.Args[2:]...)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // nobody reads
		text, _ := io.ReadAll(pipe)
		if n := bytes.Count(text, []byte("\ngoroutine ")); n < 3001 || len(text) < 400_000 {
			t.Errorf("a trace of %d goroutines in %d bytes, want 3001 at least", n, len(text))
		}
		checkStatus(t, cmd, cmd.Wait(), 2)
	})
}

// TestGuestOutputFails: a program learns that its output goes nowhere, as it
// would on Linux.
func TestGuestOutputFails(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		for _, tt := range []struct {
			how    string
			full   bool
			both   bool // standard error too
			status int
			stderr string
		}{
			{how: "yes", status: 141},
			{how: "yes", both: true, status: 141},
			{how: "ignore", status: 5, stderr: "true true\n"},
			{how: "notify", status: 5, stderr: "true true\nbroken pipe\n"},
			{how: "late", status: 141},
			{how: "yes", full: true, status: 3, stderr: "write /dev/stdout: no space left on device\n"},
			{how: "handled", full: true},
			{how: "once", full: true, status: 125, stderr: "yolk: writing the program's stdout: no space left on device; the rest of it is lost\n"},
		} {
			t.Run(fmt.Sprintf("%s/full=%t/both=%t", tt.how, tt.full, tt.both), func(t *testing.T) {
				cmd := streamsRun(t, dir, machine, tt.how)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if tt.full {
					cmd.Stdout = full
					checkStatus(t, cmd, cmd.Run(), tt.status)
				} else {
					r, w, err := os.Pipe()
					if err != nil {
						t.Fatal(err)
					}
					cmd.Stdout = w
					if tt.both {
						cmd.Stderr = w
					}
					if tt.how == "late" {
						cmd.Stdin = strings.NewReader("go")
					}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					w.Close()
					if tt.how != "late" {
						if _, err := r.Read(make([]byte, 1)); err != nil {
							t.Error(err)
						}
					}
					r.Close()
					checkStatus(t, cmd, cmd.Wait(), tt.status)
				}
				if stderr.String() != tt.stderr {
					t.Errorf("standard error %q, want %q", stderr.String(), tt.stderr)
				}
			})
		}
	})
}

// TestGuestSlowReader: while a writer waits for its reader, the machine goes on.
func TestGuestSlowReader(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		cmd := streamsRun(t, dir, machine, "slow", "8")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // the program writes
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		n, _ := io.Copy(io.Discard, out)
		checkStatus(t, cmd, cmd.Wait(), 0)
		ticks, _ := strconv.Atoi(strings.TrimSpace(stderr.String()))
		if n != 8<<20-1 || ticks < 10 {
			t.Errorf("%d bytes, %d ticks in 3 s while the writer waited: %q", n, ticks, stderr.String())
		}
	})
}

// TestGuestNonBlocking: others have made standard output non-blocking.
func TestGuestNonBlocking(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		var fds, in [2]int
		if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil || unix.Pipe2(in[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
			t.Fatal("pipe")
		}
		r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
		cmd := streamsRun(t, dir, machine, "large", "3")
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		unix.SetNonblock(fds[1], true) // as a sibling that shares the open file would
		w.Close()
		if n := (slowReader{r}).all(); n != 3<<20 {
			t.Errorf("%d bytes, want %d", n, 3<<20)
		}
		checkStatus(t, cmd, cmd.Wait(), 9)

		stdin, feed := os.NewFile(uintptr(in[0]), "r"), os.NewFile(uintptr(in[1]), "w")
		cmd = streamsRun(t, dir, machine, "input")
		cmd.Stdin = stdin
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		unix.SetNonblock(in[0], true)
		stdin.Close()
		time.Sleep(2 * time.Second) // there is none
		fmt.Fprint(feed, "some")
		feed.Close()
		checkStatus(t, cmd, cmd.Wait(), 0)
		if out.String() != "4 <nil>\n" {
			t.Errorf("the program read %q", out.String())
		}
	})
}
