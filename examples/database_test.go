// Package examples tests the programs below it, which are modules of their
// own and know nothing of Yolk.
package examples

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/qemu"
)

var seed = flag.Uint64("seed", 0, "of the moments at which TestDatabaseKilled kills QEMU; 0: others each time")

// TestHosted runs the programs' own tests, on the host.
func TestHosted(t *testing.T) {
	for _, dir := range []string{"database", "fileserver", "notes", "redis"} {
		for _, args := range [][]string{{"vet", "."}, {"test", "-count=1", "."}} {
			cmd := exec.Command("go", args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %v: %s", dir, cmd, err, out)
			}
		}
	}
}

// TestDatabaseKilled kills QEMU again and again while a program in the guest
// commits transactions to a database on virtio-fs. What the program has
// reported as committed must be there when the database is opened again.
func TestDatabaseKilled(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests; run by make test, or with YOLK_GUEST=1")
	}
	const (
		rounds = 4
		want   = 1000 // transactions at the end of the last round
	)
	temp := t.TempDir()
	yolk, host := filepath.Join(temp, "yolk"), filepath.Join(temp, "database")
	goBuild(t, ".", yolk, "github.com/yolkos/yolk/cmd/yolk")
	goBuild(t, "database", host, ".")

	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", *seed)
	for i, machine := range []string{"microvm", "q35"} {
		for j, daemon := range []string{"virtiofsd", "builtin"} {
			t.Run(machine+"/"+daemon, func(t *testing.T) {
				// virtiofsd of QEMU's own is for root. Where root has none, the test fails.
				if err := qemu.Daemon(daemon).Available(); err != nil && os.Geteuid() != 0 {
					t.Skip(err)
				}
				d := &database{yolk: yolk, machine: machine, daemon: daemon, root: t.TempDir()}
				d.random = rand.New(rand.NewPCG(*seed, uint64(2*i+j)))
				last := 0
				for range rounds {
					n := want/rounds + d.random.IntN(want/rounds)
					last = d.fillAndKill(t, last, n)
					if t.Failed() {
						return
					}
				}
				verified := d.verify(t, last)
				if verified < want {
					t.Errorf("%d transactions verified, want %d", verified, want)
				}
				// The host sees the same database.
				out, err := exec.Command(host, "verify", filepath.Join(d.root, "db"), strconv.Itoa(last)).CombinedOutput()
				if got := fmt.Sprintf("verified %d\n", verified); err != nil || string(out) != got {
					t.Errorf("on the host: %q, %v; want %q", out, err, got)
				}
			})
		}
	}
}

func goBuild(t *testing.T, dir, file, pkg string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", file, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, out)
	}
}

// database is a database on the host and the guest that uses it.
type database struct {
	yolk, machine, daemon, root string
	random                      *rand.Rand
}

// start starts the program in a guest. All that belongs to the run has mark
// in its environment, and temp for its temporary files.
func (d *database) start(t *testing.T, args ...string) (cmd *exec.Cmd, stdout *bufio.Scanner, stderr *bytes.Buffer, mark, temp string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	temp = t.TempDir()
	mark = fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	cmd = exec.CommandContext(ctx, d.yolk, append([]string{
		"run", "-q", "--machine", d.machine, "--daemon", d.daemon, "--root", d.root, ".", "--"}, args...)...)
	cmd.Dir = "database"
	cmd.Env = append(os.Environ(), mark, "TMPDIR="+temp)
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(pipe), stderr, mark, temp
}

// fillAndKill kills QEMU when about n more transactions are committed, and
// returns the number of the last that was reported.
func (d *database) fillAndKill(t *testing.T, before, n int) int {
	t.Helper()
	cmd, stdout, stderr, mark, temp := d.start(t, "fill", "/db")
	pause := time.Duration(d.random.IntN(5000)) * time.Microsecond
	verified, last, qemu := -1, before, 0
	for stdout.Scan() {
		word, number, _ := strings.Cut(stdout.Text(), " ")
		i, err := strconv.Atoi(number)
		switch {
		case err != nil:
			t.Errorf("output %q", stdout.Text())
		case word == "verified":
			if verified = i; verified < before {
				t.Errorf("%d transactions verified, but %d were committed", verified, before)
			}
			last = verified
			qemu = d.findQEMU(t, mark)
		case word == "committed":
			if i != last+1 {
				t.Errorf("transaction %d committed after %d", i, last)
			}
			last = i
		}
		if last == verified+n && qemu != 0 {
			victim := qemu
			qemu = 0
			// More of them are committed, and read here, meanwhile.
			time.AfterFunc(pause, func() { syscall.Kill(victim, syscall.SIGKILL) })
		}
	}
	err := cmd.Wait()
	t.Logf("%d verified, %d more committed, killed after %d and %v: %v", verified, last-verified, n, pause, err)
	if want := 125; cmd.ProcessState.ExitCode() != want {
		t.Errorf("status %v, want %d", cmd.ProcessState, want)
	}
	if message := stderr.String(); !strings.Contains(message, "qemu-system") || !strings.Contains(message, "signal: killed") {
		t.Errorf("message %q does not tell that QEMU was killed", message)
	}
	nothingLeft(t, mark, temp)
	return last
}

// verify returns how many transactions the program in the guest verifies.
func (d *database) verify(t *testing.T, last int) int {
	t.Helper()
	cmd, stdout, stderr, mark, temp := d.start(t, "verify", "/db", strconv.Itoa(last))
	verified := 0
	for stdout.Scan() {
		if _, err := fmt.Sscanf(stdout.Text(), "verified %d", &verified); err != nil {
			t.Errorf("output %q", stdout.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
	t.Logf("%d verified", verified)
	nothingLeft(t, mark, temp)
	return verified
}

func (d *database) findQEMU(t *testing.T, mark string) int {
	t.Helper()
	for pid, line := range marked(mark) {
		if strings.Contains(line, "qemu-system") {
			return pid
		}
	}
	t.Error("no QEMU found")
	return 0
}

// marked returns the command lines of the processes that have a setting in
// their environment.
func marked(setting string) map[int]string {
	found := map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || !bytes.Contains(env, []byte(setting)) {
			continue // gone meanwhile, or another user's
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			found[pid] = string(line)
		}
	}
	return found
}

// nothingLeft looks for processes and files that a run has left behind.
// Sockets have their names below temp.
func nothingLeft(t *testing.T, mark, temp string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for left := marked(mark); len(left) > 0; left = marked(mark) {
		if time.Now().After(deadline) {
			t.Errorf("still running: %v", left)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the directory for temporary files: %v, %v", left, err)
	}
}
