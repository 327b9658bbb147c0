package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/qemu"
)

// Command lines as people type them, each to the end of a guest.
func TestGuestCommandLine(t *testing.T) {
	needGuest(t)
	dir, host := probe(t), t.TempDir()
	colon := filepath.Join(host, "a:ro")
	layOut(t, host, map[string]string{"a:ro/in/file": "x", "env": "# comment\nA=file\nB=file\n"})
	if got := runCommand(t, yolkCommand(t, dir, "build", "-trimpath", "-o", host+"/app.elf", ".")); got.status != 0 {
		t.Fatalf("build: %+v", got)
	}
	share := []string{"--root", colon + ":rw", "--mount", colon + ":/new/dir:rw"}
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		stdout string // a part
		stderr string // a part
	}{
		{"arguments behind the package", []string{"-q", ".", "echo", "-v", "--mem", "x"}, 0, "2 \"-v\"\n3 \"--mem\"\n4 \"x\"\n", ""},
		{"go's flags and one dash", []string{"-q", "-tags", "x", "-ldflags=-s", "-gcflags=all=-N -l", "-mem", "64MiB", ".", "echo"}, 0, "dir /", ""},
		{"without optimisation alone", []string{"-q", "-gcflags=all=-N", ".", "echo"}, 0, "0 ", ""},
		{"an image", []string{"-q", host + "/app.elf", "echo", "a"}, 0, "0 \"app.elf\"\n1 \"echo\"\n2 \"a\"\n", ""},
		{"an image's status", []string{"-q", host + "/app.elf", "exit", "125"}, 125, "", ""},
		{"environment", []string{"-q", "--env-file", host + "/env", "--env", "A=1", "--env", "A=2", ".", "echo"}, 0, `env ["B=file" "A=2"]`, ""},
		{"directories with a colon", append(share, "-q", "--cwd", "/new/dir/in", ".", "echo"), 0, "dir /new/dir/in <nil>", ""},
		{"a relative working directory", append(share, "-q", "--cwd", "in", ".", "echo"), 0, "dir /in <nil>", ""},
		{"a working directory that is none", append(share, "--cwd", "/in/file", "."), 125, "", "/in/file in the guest: not a directory"},
		{"no package", []string{"./none"}, 125, "", "no such file or directory"},
		{"no main package", []string{"errors"}, 125, "", "not a main package"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runCommand(t, yolkCommand(t, dir, append([]string{"run"}, tt.args...)...))
			if got.status != tt.status || !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.stderr, tt.stderr) {
				t.Errorf("status %d, want %d; printed %.1000q, errors %.1000q", got.status, tt.status, got.stdout, got.stderr)
			}
		})
	}
}

// As many directories can be shared as is said.
func TestGuestMaxShares(t *testing.T) {
	needGuest(t)
	dir, host := probe(t), t.TempDir()
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			args := []string{"run", "-q", "--machine", machine, "--daemon", "builtin", "--cwd", "/m0/in"}
			for i := range qemu.MaxShares(qemu.Machine(machine), 0, false) {
				share := filepath.Join(host, fmt.Sprint(i))
				layOut(t, share, map[string]string{"in/file": ""})
				args = append(args, "--mount", fmt.Sprintf("%s:/m%d", share, i))
			}
			last := (len(args)-8)/2 - 1
			args[7] = fmt.Sprintf("/m%d/in", last)
			got := runCommand(t, yolkCommand(t, dir, append(args, ".", "echo")...))
			if want := fmt.Sprintf("dir /m%d/in <nil>", last); got.status != 0 || !strings.Contains(got.stdout, want) {
				t.Errorf("%d: status %d, printed %q, errors %q", last, got.status, got.stdout, got.stderr)
			}
		})
	}
}

// The options of yolk test give a guest another root, more directories and an
// environment, wherever they stand.
func TestGuestTestOptions(t *testing.T) {
	needGuest(t)
	dir, root, more := sharedDir(t), t.TempDir(), t.TempDir()
	layOut(t, root, map[string]string{"only-here": "x"})
	layOut(t, more, map[string]string{"more": "x"})
	layOut(t, dir, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n", "shared/data": "x",
		"p/p_test.go": "package p\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestTree(t *testing.T) {\n" +
			"\tfor _, name := range []string{\"/only-here\", \"/m/more\", \"../shared/data\", \"p_test.go\"} {\n" +
			"\t\tif _, err := os.Stat(name); err != nil {\n\t\t\tt.Error(err)\n\t\t}\n\t}\n" +
			"\tif _, err := os.Stat(\"/var\"); err == nil {\n\t\tt.Error(\"the host's root is there\")\n\t}\n" +
			"\tif got := os.Getenv(\"A\"); got != \"b c'\\\"\" {\n\t\tt.Error(got)\n\t}\n}\n",
	})
	got := runCommand(t, yolkCommand(t, dir, "test", "-count=1", "./...", "--root", root, "-run", "Tree", "--mount", more+":/m:ro", "-v", "--env", "A=b c'\""))
	if got.status != 0 || !strings.Contains(got.stdout, "--- PASS: TestTree") {
		t.Errorf("status %d\n%s\n%s", got.status, got.stdout, got.stderr)
	}
}

// XDG_CACHE_HOME is all that yolk needs of a home.
func TestGuestWithoutHome(t *testing.T) {
	needGuest(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := goCommandOutput("env", "GOMODCACHE")
	if err != nil {
		t.Fatal(err)
	}
	cmd := yolkCommand(t, probe(t), "run", "-q", ".", "echo")
	for _, e := range os.Environ() {
		if key, _, _ := strings.Cut(e, "="); key != "HOME" && key != "GOPATH" && key != "GOMODCACHE" && key != "XDG_CACHE_HOME" {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+cache, "GOPROXY=file://"+modules+"/cache/download", "GONOSUMDB=*")
	if got := runCommand(t, cmd); got.status != 0 || !strings.Contains(got.stdout, "dir /") {
		t.Errorf("%+v", got)
	}
}

// Ctrl-C while the toolchain is built leaves no process and no file.
func TestGuestToolchainInterrupted(t *testing.T) {
	needGuest(t)
	build, err := goCommandOutput("env", "GOCACHE")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	cmd := yolkCommand(t, t.TempDir(), "toolchain")
	cmd.Env = append(os.Environ(), mark, "XDG_CACHE_HOME="+cache, "GOCACHE="+build, "TAMAGO=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	for text := ""; !strings.Contains(text, "building"); {
		b, err := in.ReadByte()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		text += string(b)
	}
	// As a terminal does: to the whole group in the foreground.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, in)
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d, want 130", got)
	}
	nothingLeft(t, cmd.Process.Pid)
	waitGone(t, mark)
	filepath.WalkDir(cache, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("left: %s", name)
		}
		return err
	})
}

// A warm run of an unchanged program costs little more than the run of its image.
func TestGuestWarm(t *testing.T) {
	needGuest(t)
	dir := probe(t)
	image := filepath.Join(t.TempDir(), "app.elf")
	if got := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); got.status != 0 {
		t.Fatalf("build: %+v", got)
	}
	run := func(what string) time.Duration {
		start := time.Now()
		if got := runCommand(t, yolkCommand(t, dir, "run", "-q", what, "exit", "0")); got.status != 0 {
			t.Fatalf("%+v", got)
		}
		return time.Since(start)
	}
	run(".")
	// The least of several: a busy machine only ever adds.
	warm, boot := time.Hour, time.Hour
	for range 5 {
		warm, boot = min(warm, run(".")), min(boot, run(image))
	}
	t.Logf("a warm run took %v, the image alone %v", warm, boot)
	if warm > 3*boot+time.Second {
		t.Errorf("a warm run took %v, the image alone %v", warm, boot)
	}
}
