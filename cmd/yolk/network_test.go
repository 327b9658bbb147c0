package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestGuestNetlink: well-known libraries change addresses, links and routes, hear of it,
// and read and write frames, and datagrams of any protocol; acknowledgements go with
// answers, and many connections get their turns. Then the process of the network dies: the launcher says
// so in a line, and the program's calls end with errors.
func TestGuestNetlink(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "netlink")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	cmd := yolkCommand(t, dir, "run", "--net", "user,host-loopback", "--timeout", "15m", ".", fmt.Sprint("10.0.2.2:", port))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	var got []string
	for lines.Scan() {
		if got = append(got, lines.Text()); lines.Text() == "connected" {
			pid := childNamed(t, cmd.Process.Pid, serveNetCommand)
			must(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	err = cmd.Wait()
	if len(got) != 4 || got[0] != "changed" || !strings.HasSuffix(got[2], "network is down") || !strings.HasSuffix(got[3], "network is unreachable") || err != nil {
		t.Errorf("%v, %q; stderr:\n%s", err, got, stderr.String())
	}
	if n := strings.Count(stderr.String(), "the guest has no network any more"); n != 1 {
		t.Errorf("told %d times; stderr:\n%s", n, stderr.String())
	}
}

// childNamed finds the process with a word in its command line among the children of
// another.
func childNamed(t *testing.T, parent int, word string) int {
	t.Helper()
	all, err := os.ReadDir("/proc")
	must(t, err)
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) && strings.Contains(string(line), "\x00"+word+"\x00") {
			return pid
		}
	}
	t.Fatalf("process %d has no child %s", parent, word)
	return 0
}
