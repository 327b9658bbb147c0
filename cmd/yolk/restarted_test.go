package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGuestServerRestarts kills the server of a share several times in a run. Each
// time what is open ends with EIO, and a new mount has the files, with all that was
// written without an error.
func TestGuestServerRestarts(t *testing.T) {
	needGuest(t)
	dir := program(t, "restarted")
	for i, machine := range machines {
		for j, daemon := range []string{"virtiofsd", "builtin"} {
			for k, place := range []string{"/share", "/"} {
				cpus := 1 + (i+j+k)%2
				t.Run(fmt.Sprintf("%s/%s/%s/%d", machine, daemon, place, cpus), func(t *testing.T) {
					serverRestarts(t, dir, machine, daemon, place, cpus)
				})
			}
		}
	}
}

func serverRestarts(t *testing.T, dir, machine, daemon, place string, cpus int) {
	needDaemon(t, daemon)
	const kills = 5
	share := t.TempDir()
	layOut(t, share, map[string]string{"file": "file"})
	tag, args := "root", []string{"--root", share}
	if place != "/" {
		tag, args = "mount0", []string{"--mount", share + ":" + place}
	}
	args = append([]string{"run", "-q", "--timeout", "300s", "--machine", machine, "--daemon", daemon, "--cpus", fmt.Sprint(cpus)}, args...)
	mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	cmd := yolkCommand(t, dir, append(args, ".", "--", tag, place, fmt.Sprint(kills))...)
	cmd.Env = append(os.Environ(), mark)
	stdin, stdout, stderr := startPiped(t, cmd)
	defer cmd.Process.Kill()
	out := bufio.NewScanner(stdout)
	expect := func(want string) {
		t.Helper()
		if !out.Scan() || out.Text() != want {
			rest, _ := io.ReadAll(stdout)
			cmd.Wait()
			t.Fatalf("%q, want %q; then %s; %s", out.Text(), want, rest, stderr.String())
		}
	}
	for range kills {
		expect("ready")
		pids := serversOf(t, mark, cmd.Process.Pid, share)
		if len(pids) == 0 {
			t.Fatalf("no server found: %v", marked(t, mark))
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // one of several may have ended with another
		}
		fmt.Fprintln(stdin, "killed")
	}
	expect("good")
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%v, want status 7", err)
	}
	if n := strings.Count(stderr.String(), "the server is started again"); n != kills {
		t.Errorf("standard error, %d times: %s", n, stderr.String())
	}
	waitGone(t, mark)
}
