package detached

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestMain lets the test binary be a machine's process: it claims a name, says so,
// and lives until it is killed.
func TestMain(m *testing.M) {
	if name := os.Getenv("DETACHED_CLAIM"); name != "" {
		d, err := Open()
		if err == nil {
			kept, err = d.Claim(name)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("claimed")
		select {}
	}
	os.Exit(m.Run())
}

// kept is the machine of a process that is one: its lock is an open file's, which the
// garbage collector would close.
var kept *Own

// dirOf opens a directory of a user who has no machines yet.
func dirOf(t *testing.T) *Dir {
	t.Helper()
	base := t.TempDir()
	if err := os.Chmod(base, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", base)
	d, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(base, "yolk", "machines"); d.path != want {
		t.Fatalf("directory %s, want %s", d.path, want)
	}
	return d
}

func claim(t *testing.T, d *Dir, name string) *Own {
	t.Helper()
	own, err := d.Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.close)
	return own
}

func find(t *testing.T, d *Dir, name string) *Record {
	t.Helper()
	r, err := d.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// TestLife follows a machine from its name to its removal.
func TestLife(t *testing.T) {
	d := dirOf(t)
	own := claim(t, d, "web")
	r := find(t, d, "web")
	if s, _ := r.State(); s != Starting {
		t.Errorf("state %v, want %v", s, Starting)
	}
	own.Info.Started, own.Info.Ports = own.Info.Created, []string{"8080:80"}
	if err := own.Save(); err != nil {
		t.Fatal(err)
	}
	r = find(t, d, "web")
	if s, _ := r.State(); s != Running || r.Pid != os.Getpid() || len(r.Ports) != 1 {
		t.Errorf("state %v, %+v", s, r.Info)
	}
	if err := r.Remove(); err == nil {
		t.Error("a machine that runs was removed")
	}
	done, err := r.Done()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
		t.Fatal("done before its end")
	default:
	}
	if err := own.Ended(End{At: own.Info.Created, Status: 7, Why: "x"}); err != nil {
		t.Fatal(err)
	}
	if s, e, err := r.Wait(context.Background()); s != Ended || e.Status != 7 || e.Why != "x" || err != nil {
		t.Errorf("ended as %v, %+v, %v", s, e, err)
	}
	if _, err := d.Claim("web"); !errors.As(err, new(*TakenError)) {
		t.Errorf("claimed before it was removed: %v", err)
	}
	if err := r.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Find("web"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found after it was removed: %v", err)
	}
	if err := r.Remove(); err != nil {
		t.Errorf("removed twice: %v", err)
	}
	left, err := os.ReadDir(d.path)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestRemovedAtEnd waits for a machine of which nothing is left then, and removes
// no other one that has its name by now.
func TestRemovedAtEnd(t *testing.T) {
	d := dirOf(t)
	own := claim(t, d, "job")
	own.Info.Remove = true
	r := find(t, d, "job")
	if err := own.Ended(End{Status: 3}); err != nil {
		t.Fatal(err)
	}
	next := claim(t, d, "job")
	if s, e, err := r.Wait(context.Background()); s != Ended || e.Status != 3 || err != nil {
		t.Errorf("ended as %v, %+v, %v", s, e, err)
	}
	if err := r.Remove(); err != nil {
		t.Error(err)
	}
	if names, err := d.Names(); len(names) != 1 || err != nil {
		t.Errorf("machines %v, %v: want the second one", names, err)
	}
	next.Info.Remove = true
	if err := next.Ended(End{}); err != nil {
		t.Error(err)
	}
	if names, err := d.Names(); len(names) != 0 || err != nil {
		t.Errorf("machines %v, %v: want none", names, err)
	}
}

// TestClaimRace: of many who want a name at the same time one gets it, and the others
// get a *TakenError, or a name of their own.
func TestClaimRace(t *testing.T) {
	d := dirOf(t)
	const many = 20
	var all sync.WaitGroup
	var mu sync.Mutex
	got, names := 0, map[string]bool{}
	for range many {
		all.Go(func() {
			own, err := d.Claim("one")
			mu.Lock()
			if err == nil {
				got++
				t.Cleanup(own.close)
			} else if !errors.As(err, new(*TakenError)) {
				t.Error(err)
			}
			mu.Unlock()
			if own, err = d.ClaimFree("many"); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			names[own.Info.Name] = true
			t.Cleanup(own.close)
			mu.Unlock()
		})
	}
	all.Wait()
	if got != 1 || len(names) != many || !names["many"] || !names[fmt.Sprintf("many-%d", many)] {
		t.Errorf("%d got one name, %d of %d have names of their own: %v", got, len(names), many, names)
	}
}

// TestKilled: a machine whose process was killed does not run, and its name stays
// taken until it is removed.
func TestKilled(t *testing.T) {
	d := dirOf(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "DETACHED_CLAIM=killed")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	if n, err := out.Read(line); string(line[:n]) != "claimed\n" {
		t.Fatalf("%q, %v", line[:n], err)
	}
	r := find(t, d, "killed")
	if !r.Alive() || r.Pid != cmd.Process.Pid {
		t.Errorf("alive %v, process %d, want %d", r.Alive(), r.Pid, cmd.Process.Pid)
	}
	if err := r.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if s, e, err := r.Wait(context.Background()); s != Killed || e.Status != 137 || err != nil {
		t.Errorf("ended as %v, %+v, %v", s, e, err)
	}
	if _, err := d.Claim("killed"); !errors.As(err, new(*TakenError)) {
		t.Errorf("claimed: %v", err)
	}
	if err := r.Remove(); err != nil {
		t.Error(err)
	}
	claim(t, d, "killed")
}

// TestOtherProcess: who has the number of a machine's process after that has ended gets
// no signal.
func TestOtherProcess(t *testing.T) {
	d := dirOf(t)
	other := exec.Command("sleep", "1000")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	own := claim(t, d, "gone")
	own.Info.Pid = other.Process.Pid
	if err := own.Save(); err != nil {
		t.Fatal(err)
	}
	r := find(t, d, "gone")
	own.close() // as if killed
	if err := r.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal: %v, want %v", err, os.ErrProcessDone)
	}
	if err := other.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	_ = other.Wait()
	if s := other.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGTERM {
		t.Errorf("the other process: %v, want to end by the test's signal", other.ProcessState)
	}
}

// TestPrivate: a directory that others can enter, or have made, is not used.
func TestPrivate(t *testing.T) {
	uid := os.Geteuid()
	for name, make := range map[string]func(dir string) error{
		"mode 0710":        func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o710)) },
		"a file":           func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"a link":           func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"of somebody else": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, uid+1, -1)) },
	} {
		dir := filepath.Join(t.TempDir(), "yolk")
		if err := make(dir); err != nil {
			if uid != 0 && name == "of somebody else" {
				continue // for root to try
			}
			t.Fatal(err)
		}
		if _, err := open(dir, uid); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want one that names %s", name, err, dir)
		}
	}
	// With a runtime directory that is not this user's alone it is another one.
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(shared, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for want, bases := range map[string][]string{
		filepath.Join(own, "yolk"):       {shared, own},
		fmt.Sprintf("/tmp/yolk-%d", uid): {"", "relative", shared, filepath.Join(shared, "none")},
	} {
		if got := place(uid, bases...); got != want {
			t.Errorf("place %s for %q, want %s", got, bases, want)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", maxName)
	for _, good := range []string{"a", "0", "web-1.example_x", long} {
		if err := CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".", "..", "-x", "_x", ".new-1", "a/b", "a b", "ä", "a\x00", long + "x"} {
		if CheckName(bad) == nil {
			t.Errorf("%q is a name", bad)
		}
	}
	for program, want := range map[string]string{
		"./cmd/server": "server", "/": "machine", "..": "machine", "my app": "my-app", "-x": "x", long + "y": long[:maxName-len(lastSuffix)],
	} {
		if got := NameFor(program); got != want || CheckName(got+lastSuffix) != nil {
			t.Errorf("name for %q: %q, want %q", program, got, want)
		}
	}
}
