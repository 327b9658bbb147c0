package group

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if err := Adopt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// family is a script that starts one that starts one, tells the numbers of all three and hangs.
const family = `sh -c 'sleep 1000 & echo $$ $!; wait' & echo $$; wait`

// TestRun: when a command is ended, nobody of its group is left once Run returns, as a process
// or as the remains of one.
func TestRun(t *testing.T) {
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(ctx, "sh", "-c", family)
		cmd.Stdout = w
		ended := make(chan error, 1)
		go func() { ended <- Run(cmd) }()
		pids := readNumbers(t, r, 3)
		if g, err := syscall.Getpgid(pids[0]); err != nil || g == syscall.Getpgrp() {
			t.Errorf("group %d of %d, %v: it is this process's", g, pids[0], err)
		}
		cancel()
		var exit *exec.ExitError
		if err := <-ended; !errors.As(err, &exit) {
			t.Errorf("ended with %v", err)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("process %d of %v is left: %v", pid, pids, err)
			}
		}
		w.Close()
		r.Close()
	}
}

// TestRunEnds: a command that ends by itself is waited for, and not what it leaves to others.
func TestRunEnds(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 1000 >&- 2>&- & echo $!; exit 3")
	out := &strings.Builder{}
	cmd.Stdout = out
	var exit *exec.ExitError
	if err := Run(cmd); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("what it has left: %v", err)
	}
	Await(cmd.Process.Pid)
}

// TestLeave: what was started by somebody who has ended is waited for, and who does not end,
// until the limit.
func TestLeave(t *testing.T) {
	cmd := exec.Command("sh", "-c", "exec 3>&1 >/dev/null 2>&1; setsid sleep 0.3 3>&- & setsid sleep 1000 3>&- & echo $! >&3")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	stays, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	Leave(500 * time.Millisecond)
	if d := time.Since(begin); d < 400*time.Millisecond {
		t.Errorf("left after %v", d)
	}
	if err := syscall.Kill(stays, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	Leave(time.Minute)
	if d := time.Since(begin); d > 30*time.Second {
		t.Errorf("left after %v", d)
	}
	if err := syscall.Kill(stays, 0); err != syscall.ESRCH {
		t.Errorf("process %d is left: %v", stays, err)
	}
}

func readNumbers(t *testing.T, r *os.File, n int) (list []int) {
	t.Helper()
	words := bufio.NewScanner(r)
	words.Split(bufio.ScanWords)
	for len(list) < n && words.Scan() {
		v, err := strconv.Atoi(words.Text())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if len(list) < n {
		t.Fatalf("%v, then %v", list, words.Err())
	}
	return list
}
