package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/layout"
	"github.com/yolkos/yolk/qemu"
)

// The tests in this file boot guests. They need QEMU, and the toolchain,
// which takes minutes to build where it is not there yet.
func needGuest(t testing.TB) {
	t.Helper()
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests; run by make test, or with YOLK_GUEST=1")
	}
}

// needDaemon skips a test of a server that this user cannot run: virtiofsd of
// QEMU's own is for root. Where root has none, the test fails.
func needDaemon(t testing.TB, daemon string) {
	t.Helper()
	if err := qemu.Daemon(daemon).Available(); err != nil && os.Geteuid() != 0 {
		t.Skip(err)
	}
}

// yolkBinary builds yolk once.
var yolkBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yolk-test-")
	if err != nil {
		return "", err
	}
	removeAtEnd = append(removeAtEnd, dir)
	name := filepath.Join(dir, "yolk")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

var removeAtEnd []string

func TestMain(m *testing.M) {
	// What is ignored here, as under nohup, would be ignored by the commands that
	// the tests start and send it to. What is caught here is not.
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	status := m.Run()
	for _, dir := range removeAtEnd {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// probe makes a module of its own of testdata/probe.
func probe(t testing.TB) string { return program(t, "probe") }

// program makes a module of its own of testdata/name.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/" + name + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	layOut(t, dir, map[string]string{"go.mod": "module example.com/" + name + "\n\ngo 1.24\n", "main.go": string(source)})
	return dir
}

// sharedDir is t.TempDir in a place that the guest sees: it has a /tmp of its own.
func sharedDir(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(cache, "yolk-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// layOut makes files with their contents below a directory.
var layOut = layout.Files

// yolkCommand prepares a run of yolk in a directory.
func yolkCommand(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	name, err := yolkBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd
}

// serverNote is the line about a virtiofsd that this host or user cannot use. Tests
// that compare all that yolk says leave it out.
var serverNote = regexp.MustCompile(`(?m)^yolk: built-in virtio-fs server in use: .*\n`)

// result is what a command printed and how it ended.
type result struct {
	status         int
	stdout, stderr string
}

// startPiped starts cmd with pipes for its input and output. What it says on standard
// error is there when it has ended.
func startPiped(t *testing.T, cmd *exec.Cmd) (stdin io.WriteCloser, stdout io.Reader, stderr *bytes.Buffer) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err = cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return stdin, stdout, stderr
}

// startReady starts cmd without input, waits until its program has said that it is ready, and
// ends it with the test.
func startReady(t *testing.T, cmd *exec.Cmd) (stderr *bytes.Buffer) {
	t.Helper()
	stdin, stdout, stderr := startPiped(t, cmd)
	stdin.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		_ = cmd.Wait()
		t.Fatalf("%q, %v\n%s", line, err, stderr)
	}
	return stderr
}

func runCommand(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

var machines = []string{"microvm", "q35"}

func TestGuestProgram(t *testing.T) {
	needGuest(t)
	dir, root := probe(t), t.TempDir()
	layOut(t, root, map[string]string{"srv/file": "x"})
	long := strings.Repeat("x", 100_000)
	for _, tt := range []struct {
		name   string
		flags  []string
		args   []string
		stdin  string
		status int
		stdout []string // parts
		stderr []string
	}{
		{
			name:  "streams",
			flags: []string{"--root", root, "--cwd", "/srv", "--env", "A=b c", "--env", "B="},
			args:  []string{"echo", "", "a b", "\xff'\"\n", "$HOME", long, "--root"},
			stdin: strings.Repeat("line\r\n\x00", 50_000),
			stdout: []string{
				"0 \"probe\"\n1 \"echo\"\n2 \"\"\n3 \"a b\"\n4 \"\\xff'\\\"\\n\"\n5 \"$HOME\"\n6 \"100000 bytes\"\n7 \"--root\"\n",
				"env [\"A=b c\" \"B=\"]\ndir /srv <nil>\nin 350000 ", " <nil>\n\x00\x01\xff\r\n",
			},
			stderr: []string{"to stderr\n"},
		},
		{name: "no root", args: []string{"echo"}, stdout: []string{"env []\ndir / <nil>\nin 0 00000000 <nil>\n"}, stderr: []string{"tmpfs on / "}},
		{name: "little memory", flags: []string{"--mem", "64M"}, args: []string{"echo"}, stdout: []string{"dir /"}},
		{name: "beyond 4 GiB", flags: []string{"--mem", "5G"}, args: []string{"echo"}, stdout: []string{"dir /"}},
		{name: "status", args: []string{"exit", "200"}, status: 200},
		{name: "panic", args: []string{"panic"}, status: 2, stderr: []string{"panic: the reason", "goroutine 1 [running]", "main.main"}},
	} {
		for _, machine := range machines {
			t.Run(tt.name+"/"+machine, func(t *testing.T) {
				args := append([]string{"run", "--machine", machine}, tt.flags...)
				cmd := yolkCommand(t, dir, append(append(args, ".", "--"), tt.args...)...)
				cmd.Stdin = strings.NewReader(tt.stdin)
				got := runCommand(t, cmd)
				if got.status != tt.status {
					t.Errorf("status %d, want %d", got.status, tt.status)
				}
				for _, want := range tt.stdout {
					if !strings.Contains(got.stdout, want) {
						t.Errorf("no %q in the output", want)
					}
				}
				for _, want := range tt.stderr {
					if !strings.Contains(got.stderr, want) {
						t.Errorf("no %q in the errors", want)
					}
				}
				if t.Failed() {
					t.Logf("output %.2000q\nerrors %.5000s", got.stdout, got.stderr)
				}
			})
		}
	}
}

// TestGuestTimeLimit ends programs that do not end by themselves.
func TestGuestTimeLimit(t *testing.T) {
	needGuest(t)
	dir := probe(t)
	for arg, word := range map[string]string{"wait": "waiting", "spin": "spinning"} {
		for _, machine := range machines {
			t.Run(arg+"/"+machine, func(t *testing.T) {
				enough(t, func(limit time.Duration) bool {
					got := runCommand(t, yolkCommand(t, dir, "run", "--machine", machine, "--timeout", fmt.Sprint(limit), ".", "--", arg))
					if got.status != exit.Timeout || !strings.Contains(got.stderr, fmt.Sprint("after ", limit)) {
						t.Fatalf("status %d: %s", got.status, got.stderr)
					}
					return strings.Contains(got.stdout, word)
				})
			})
		}
	}
}

// enough finds the limit that suffices here and now for what f is to reach
// before it, and reports if there is none.
func enough(t *testing.T, f func(limit time.Duration) bool) {
	t.Helper()
	for limit := 3 * time.Second; !f(limit); limit *= 4 {
		if limit > 5*time.Minute {
			t.Fatalf("%v do not suffice", limit)
		}
	}
}

// TestGuestTree has the guest read a tree, with a large file and a large
// directory in it, and compares with what the host reads.
func TestGuestTree(t *testing.T) {
	needGuest(t)
	dir, root := probe(t), t.TempDir()
	bigTree(t, root)
	host := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-o", host, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := runCommand(t, exec.Command(host, "tree", root))
	if want.status != 0 || strings.Count(want.stdout, "\n") < 20_000 {
		t.Fatalf("on the host: %+v", want)
	}
	for _, machine := range machines {
		for _, daemon := range []string{"virtiofsd", "builtin"} {
			t.Run(machine+"/"+daemon, func(t *testing.T) {
				needDaemon(t, daemon)
				got := runCommand(t, yolkCommand(t, dir, "run", "--machine", machine, "--daemon", daemon, "--root", root, ".", "--", "tree", "/"))
				if got.status != 0 {
					t.Fatalf("status %d: %s", got.status, got.stderr)
				}
				compareLines(t, got.stdout, want.stdout)
			})
		}
	}
}

// TestGuestLinkedRoot: a root that is named by a link, as that of a release is, is taken by every
// server.
func TestGuestLinkedRoot(t *testing.T) {
	needGuest(t)
	dir, root := probe(t), t.TempDir()
	layOut(t, root, map[string]string{"releases/1/file": "one"})
	link := filepath.Join(root, "current")
	if err := os.Symlink("releases/1", link); err != nil {
		t.Fatal(err)
	}
	for _, daemon := range []string{"virtiofsd", "builtin"} {
		t.Run(daemon, func(t *testing.T) {
			needDaemon(t, daemon)
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--daemon", daemon, "--root", link, ".", "--", "tree", "/"))
			if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "file") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func bigTree(t *testing.T, root string) {
	t.Helper()
	files := map[string]string{"top.txt": "top\n", "empty": "", "a/b/c/d/e/f/deep": "deep\n", "name with space and ü/x,y": "odd\n"}
	for i := range 20_000 {
		name := fmt.Sprintf("many/skip-%d-%s", i, strings.Repeat("n", i%60))
		if i%200 == 0 {
			name = fmt.Sprintf("many/read-%d", i)
		}
		files[name] = strings.Repeat("z", i%7)
	}
	layOut(t, root, files)
	block := make([]byte, 1<<20)
	f, err := os.Create(filepath.Join(root, "a/big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := uint32(1)
	for range 200 {
		for i := range block {
			x = x*1664525 + 1013904223
			block[i] = byte(x >> 24)
		}
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"link": "a/b", "a/up": "../top.txt", "a/b/absolute": "/top.txt", "dangling": "no/such", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "empty"), 0o4751); err != nil {
		t.Fatal(err)
	}
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Errorf("%d lines, want %d; from line %d on: got %.300q, want %.300q", len(g), len(w), i+1, g[min(i, len(g)):], w[min(i, len(w)):])
			return
		}
	}
}

// TestGuestKilled ends yolk or QEMU and looks for what is left.
func TestGuestKilled(t *testing.T) {
	needGuest(t)
	dir := probe(t)
	for _, tt := range []struct {
		name, victim string // a part of the command line; empty: yolk itself
		signal       syscall.Signal
		status       int // -1: killed
	}{
		{"interrupt", "", syscall.SIGINT, 130},
		{"terminate", "", syscall.SIGTERM, 143},
		{"hang up", "", syscall.SIGHUP, 129},
		{"kill", "", syscall.SIGKILL, -1},
		{"kill QEMU", "qemu-system", syscall.SIGKILL, exit.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
			temp := t.TempDir()
			cmd := yolkCommand(t, dir, "run", "-q", "--root", dir, ".", "--", "wait")
			cmd.Env = append(os.Environ(), mark, "TMPDIR="+temp)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 8)); err != nil { // the program runs
				t.Fatal(err)
			}
			victim := cmd.Process.Pid
			if tt.victim != "" {
				for pid, line := range marked(t, mark) {
					// Its name is among the arguments of yolk, too.
					if pid != cmd.Process.Pid && strings.Contains(line, tt.victim) {
						victim = pid
					}
				}
			}
			if err := syscall.Kill(victim, tt.signal); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			if tt.status >= 0 {
				nothingLeft(t, cmd.Process.Pid)
			}
			waitGone(t, mark)
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// marked returns the command lines of the processes that have a setting in
// their environment.
func marked(t *testing.T, setting string) map[int]string {
	t.Helper()
	found := map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || !bytes.Contains(env, []byte(setting)) {
			continue // gone meanwhile, or another user's
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		var pid int
		fmt.Sscan(filepath.Base(dir), &pid)
		found[pid] = string(line)
	}
	return found
}

// nothingLeft: a yolk that was not killed has no process left of its session as soon as it
// has ended, nor the remains of one, whoever has started it.
func nothingLeft(t *testing.T, session int) {
	t.Helper()
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		b, err := os.ReadFile(name)
		_, rest, ok := strings.Cut(string(b), ") ")
		if err != nil || !ok {
			continue // gone meanwhile
		}
		// State, parent, group, session: proc(5).
		if f := strings.Fields(rest); len(f) > 3 && f[3] == fmt.Sprint(session) {
			t.Errorf("left: %s", b)
		}
	}
}

func waitGone(t *testing.T, setting string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		left := marked(t, setting)
		if len(left) == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("still there: %v", left)
		}
	}
}

// TestGuestTest runs go test with guests on a module that has tests of every
// outcome, and on packages of the standard library.
func TestGuestTest(t *testing.T) {
	needGuest(t)
	dir := sharedDir(t)
	layOut(t, dir, map[string]string{
		"go.mod":               "module example.com/m\n\ngo 1.24\n",
		"good/testdata/a/file": "data",
		"good/good.go":         "package good\n",
		"good/good_test.go": "package good\n\nimport (\n\t\"os\"\n\t\"runtime\"\n\t\"testing\"\n)\n\n" +
			"func TestData(t *testing.T) {\n\tb, err := os.ReadFile(\"testdata/a/file\")\n" +
			"\tif err != nil || string(b) != \"data\" || runtime.GOOS != \"linux\" {\n\t\tt.Error(b, err, runtime.GOOS)\n\t}\n}\n\n" +
			"func TestOther(t *testing.T) { t.Error(\"not asked for\") }\n",
		"bad/bad_test.go":     "package bad\n\nimport \"testing\"\n\nfunc TestData(t *testing.T) { t.Error(\"the reason\") }\n",
		"panic/panic_test.go": "package panic\n\nimport \"testing\"\n\nfunc TestData(t *testing.T) { panic(\"help\") }\n",
		"none/none.go":        "package none\n",
	})
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			got := runCommand(t, yolkCommand(t, dir, "test", "--machine", machine, "-count=1", "-v", "-run=TestData|TestJoin$", "./...", "errors"))
			if got.status != 1 {
				t.Errorf("status %d, want 1", got.status)
			}
			for _, want := range []string{
				"--- PASS: TestData", "ok  \texample.com/m/good", "bad_test.go:5: the reason", "FAIL\texample.com/m/bad",
				"panic: help", "FAIL\texample.com/m/panic", "?   \texample.com/m/none\t[no test files]",
				"--- PASS: TestJoin", "ok  \terrors",
			} {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("no %q in the output", want)
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s", got.stdout, got.stderr)
			}
		})
	}
}

// goCommandOutput returns what the machine's go command prints.
func goCommandOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	return strings.TrimSpace(string(out)), err
}
