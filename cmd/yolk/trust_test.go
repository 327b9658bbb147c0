package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGuestTrust looks at the processes that a machine has on the host: each has a filter
// of system calls and can get no further rights, and no socket of theirs has a name that
// leads to it, but for the one at which yolk top and yolk tree ask: package inspect has its
// test that it answers its own user alone.
func TestGuestTrust(t *testing.T) {
	needGuest(t)
	dir := program(t, "operated")
	for i, daemon := range []string{"virtiofsd", "builtin"} {
		t.Run(daemon, func(t *testing.T) {
			needDaemon(t, daemon)
			mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
			cmd := yolkCommand(t, dir, "run", "-q", "--timeout", "300s", "--machine", machines[i], "--daemon", daemon, "--cpus", "2", "-p", "127.0.0.1:0:80", "--root", t.TempDir(),
				"--crash", filepath.Join(t.TempDir(), "report"), "--profile", filepath.Join(t.TempDir(), "profile"), ".")
			cmd.Env = append(os.Environ(), mark)
			startReady(t, cmd)
			names := map[string]bool{} // of sockets of the processes
			confined := map[string]int{}
			for pid, line := range marked(t, mark) {
				for _, s := range socketNames(t, pid) {
					names[s] = true
				}
				if pid == cmd.Process.Pid {
					continue
				}
				what := ""
				for _, word := range []string{"qemu-system", "virtiofsd", "serve-fs", "serve-net"} {
					if strings.Contains(line, word) {
						what = word
					}
				}
				status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				if what == "" || err != nil {
					t.Errorf("process %d, %q: %v", pid, line, err)
					continue
				}
				n := 0
				if strings.Contains(string(status), "\nSeccomp:\t2\n") && strings.Contains(string(status), "\nNoNewPrivs:\t1\n") {
					n = 1
				}
				confined[what] += n
			}
			server := map[string]string{"virtiofsd": "virtiofsd", "builtin": "serve-fs"}[daemon]
			for _, what := range []string{"qemu-system", "serve-net", server} {
				if confined[what] < 1 { // virtiofsd has a second process, which waits for the first one
					t.Errorf("%s is not confined", what)
				}
			}
			for name := range names {
				if name == fmt.Sprintf("@yolk/machine/%d/%d", os.Geteuid(), cmd.Process.Pid) {
					continue
				}
				// One in a directory that yolk had open.
				name = strings.Replace(name, "/proc/self/", fmt.Sprintf("/proc/%d/", cmd.Process.Pid), 1)
				if c, err := net.Dial("unix", name); err == nil {
					c.Close()
					t.Errorf("somebody takes connections at %s", name)
				}
			}
			t.Logf("names of sockets: %v", names)
		})
	}
}

// socketNames lists the names that the sockets of a process have, or had.
func socketNames(t *testing.T, pid int) (names []string) {
	t.Helper()
	own := map[string]bool{}
	list, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range list {
		link, _ := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if words := strings.Fields(line); len(words) > 7 && own[words[6]] {
			names = append(names, words[7])
		}
	}
	return names
}
