package qemu

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRestart kills the server of a share again and again: the next one is started,
// the guest told, and none is left at the end.
func TestRestart(t *testing.T) {
	const kills = 4
	words := "ctl:yolk_main stdout:running "
	for range kills {
		words += "hears:share-ended_root hears:share-started_root stdout:again "
	}
	fakes(t, words+"ctl:yolk_exit_4 end:1", "")
	dir := t.TempDir()
	kill := func() {
		for _, pid := range serversOf(t, dir) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH { // the guest may have ended
				t.Error(err)
			}
		}
	}
	got := runGuest(t, context.Background(), func(o *Options) {
		o.Shares, o.Daemon = []Share{{Tag: "root", Dir: dir}}, Builtin
		o.Stdout = writerFunc(func(p []byte) {
			for range bytes.Count(p, []byte("\n")) {
				kill() // the last one may be too late, which does no harm
			}
		})
	})
	if got.err != nil || got.status != 4 {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(got.notes, "yolk: share root: "); n < 1 || strings.Count(got.notes, "the server is started again") != n {
		t.Errorf("notes: %s", got.notes)
	}
	if left := serversOf(t, dir); len(left) > 0 {
		t.Errorf("servers are left: %v", left)
	}
}

// serversOf returns the children of this process that serve dir.
func serversOf(t *testing.T, dir string) (pids []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Error(err)
	}
	for _, task := range tasks {
		children, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for _, child := range strings.Fields(string(children)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if bytes.Contains(line, []byte(dir)) {
				var pid int
				fmt.Sscan(child, &pid)
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// TestPause: a server that has lived is replaced at once, and one that cannot live
// is given up within minutes.
func TestPause(t *testing.T) {
	now := time.Now()
	old := &shareServer{begun: now.Add(-shortLife), short: shortLives}
	if wait, short, ok := old.pause(now); wait != 0 || short != 0 || !ok {
		t.Errorf("one that has lived: %v, %d, %v", wait, short, ok)
	}
	var sum, last time.Duration
	n := 0
	for s := (&shareServer{begun: now}); ; n++ {
		wait, short, ok := s.pause(now)
		if !ok {
			break
		}
		if wait <= last {
			t.Errorf("pause %d of %v after one of %v", n, wait, last)
		}
		sum, last = sum+wait, wait
		s = &shareServer{begun: now, short: short}
	}
	if n != shortLives || sum < shortLife || sum > 5*time.Minute {
		t.Errorf("%d servers in %v", n, sum)
	}
}
