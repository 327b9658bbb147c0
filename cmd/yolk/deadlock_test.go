package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestGuestDeadlock: a program that nothing can wake ends as everywhere, with a
// fatal error that shows its goroutines and not the kernel's; one that waits for
// what can come goes on waiting.
func TestGuestDeadlock(t *testing.T) {
	needGuest(t)
	const asleep = "fatal error: all goroutines are asleep - deadlock!"
	dir := program(t, "deadlock")
	for _, cpus := range []string{"1", "2"} {
		for _, tt := range []struct {
			kinds  string
			status int
			stderr string        // "" if nothing
			lasts  time.Duration // 0: it ends by itself
		}{
			{"channel nilchannel select mutex waitgroup cond locked threads pair stopped unused afterfiles aftersleep busythen polled epolled", 2, asleep, 0},
			{"goexit", 2, "fatal error: no goroutines (main called runtime.Goexit) - deadlock!", 0},
			{"goexitasleep", 2, asleep, 0},
			{"stdin stdingoroutine sleep timer after ticker deadline pipe polledpipe epolledlater goexitsleep kill compute", 0, "", 0},
			{"signal accept sleeplong", 0, "", 4 * time.Second},
		} {
			for _, kind := range strings.Fields(tt.kinds) {
				t.Run(kind+"-"+cpus, func(t *testing.T) {
					cmd := yolkCommand(t, dir, "run", "-q", "--mem", "128M", "--cpus", cpus, "--timeout", "10m", "--root", t.TempDir(), ".", "--", kind)
					r, lasted := runQuietly(t, cmd, tt.lasts)
					if !strings.HasPrefix(r.stdout, "waits\n") {
						t.Fatalf("status %d, stdout %q, stderr:\n%s", r.status, r.stdout, r.stderr)
					}
					if lasted != (tt.lasts > 0) {
						t.Errorf("it ended by itself: %v, stderr:\n%s", !lasted, r.stderr)
					}
					// One of the program's that polls has them in its own trace.
					if strings.Contains(r.stderr, "yolkos/yolk/") && !strings.HasSuffix(kind, "polled") {
						t.Errorf("stderr has the kernel's goroutines:\n%s", r.stderr)
					}
					if lasted {
						return
					}
					if r.status != tt.status || !strings.Contains(r.stderr, tt.stderr) {
						t.Errorf("status %d, want %d with %q; stderr:\n%s", r.status, tt.status, tt.stderr, r.stderr)
					}
					if ends := strings.HasSuffix(r.stdout, "ends\n"); ends != (tt.status == 0) {
						t.Errorf("stdout %q", r.stdout)
					}
				})
			}
		}
	}
}

// runQuietly runs cmd, which prints a line first, with an input that has a line two
// seconds later, when a deadlock would have been found. With lasts not 0 it ends cmd
// after that time and reports whether it had to.
func runQuietly(t *testing.T, cmd *exec.Cmd, lasts time.Duration) (r result, lasted bool) {
	t.Helper()
	in, out, stderr := startPiped(t, cmd)
	line, _ := bufio.NewReaderSize(out, 16).ReadString('\n')
	go func() {
		time.Sleep(2 * time.Second)
		io.WriteString(in, "a line\n")
	}()
	var interrupted atomic.Bool
	if lasts > 0 {
		timer := time.AfterFunc(lasts, func() {
			interrupted.Store(true)
			cmd.Process.Signal(os.Interrupt)
		})
		defer timer.Stop()
	}
	rest, _ := io.ReadAll(out)
	lasted = interrupted.Load()
	cmd.Wait()
	in.Close()
	return result{cmd.ProcessState.ExitCode(), line + string(rest), stderr.String()}, lasted
}
