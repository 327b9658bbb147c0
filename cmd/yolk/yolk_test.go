package main

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSplitRunArgs(t *testing.T) {
	for _, tt := range []struct {
		args, dash        string
		packages, program string
		err               string
	}{
		{args: ".", packages: "."},
		{args: "./cmd/x -- -v y", packages: "./cmd/x", program: "-v y"},
		{args: "a.go b.go -- c.go", packages: "a.go b.go", program: "c.go"},
		{args: "./x y", err: "go after --"},
		{args: "-- y", err: "no package"},
		{args: "", err: "no package"},
	} {
		args := strings.Fields(tt.args)
		dash := slices.Index(args, "--")
		if dash >= 0 {
			args = slices.Delete(args, dash, dash+1)
		}
		packages, program, err := splitRunArgs(args, dash)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v, want one with %q", tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || strings.Join(packages, " ") != tt.packages || strings.Join(program, " ") != tt.program {
			t.Errorf("%q: %q, %q, %v", tt.args, packages, program, err)
		}
	}
}

func TestSplitGuestFlags(t *testing.T) {
	for _, tt := range []struct{ args, machine, mem, rest string }{
		{"", "microvm", testMemory, ""},
		{"--machine q35 -v ./...", "q35", testMemory, "-v ./..."},
		{"--mem=2G --machine=q35 os", "q35", "2G", "os"},
		{"-run X --machine q35", "microvm", testMemory, "-run X --machine q35"},
		{"--verbose --mem 2G -- os", "microvm", "2G", "-- os"},
	} {
		f, rest, err := splitGuestFlags(strings.Fields(tt.args))
		if err != nil || f.machine != tt.machine || f.mem != tt.mem || strings.Join(rest, " ") != tt.rest {
			t.Errorf("%q: %+v, %q, %v", tt.args, f, rest, err)
		}
	}
	if _, _, err := splitGuestFlags([]string{"--machine"}); err == nil {
		t.Error("no error for an option without its value")
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("YOLK_HAS", "a=b c")
	got, err := environment([]string{"A=1", "B=", "C=x=y,z", "YOLK_HAS", "YOLK_HAS_NOT"})
	if want := []string{"A=1", "B=", "C=x=y,z", "YOLK_HAS=a=b c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := environment([]string{"=x"}); err == nil {
		t.Error("no error for a value without name")
	}
}

func TestTestEnvironment(t *testing.T) {
	got := testEnvironment([]string{"A=1", "TMPDIR=/x", "GOTMPDIR=/y", "HOME=/root"})
	if want := []string{"A=1", "HOME=/root"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestHiddenIn(t *testing.T) {
	for path, want := range map[string]string{
		"/tmp": "/tmp", "/tmp/x": "/tmp", "/dev/shm/x": "/dev", "/proc/1": "/proc", "/tmpx": "", "/home/tmp": "", "/": "",
	} {
		if got := hiddenIn(path); got != want {
			t.Errorf("hiddenIn(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestQuoteExec(t *testing.T) {
	got := quoteExec([]string{"/a b/yolk", "x", "it's"})
	if want := `'/a b/yolk' x "it's"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {exitStatus(200), 200}, {&signalError{syscall.SIGINT}, 130},
	} {
		if got := status(tt.err); got != tt.want {
			t.Errorf("status(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

// TestOptions has wrong options end before anything is built.
func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"run":                            "no package",
		"run --machine pc .":             `--machine "pc": want one of [microvm q35]`,
		"run --accel hvf .":              "--accel",
		"run --daemon x .":               "--daemon",
		"run --cache x .":                "--cache",
		"run --mem 1M .":                 "needs 64M",
		"run --env =x .":                 "--env",
		"run --root /no/such .":          "cannot share /no/such: no such file or directory",
		"run --root /etc/passwd .":       "not a directory",
		"run --timeout x .":              "--timeout",
		"toolchain --no-tools":           "--into",
		"test --machine pc":              "--machine",
		"nonsense":                       "unknown command",
		"run --machine q35 --nonsense .": "unknown flag",
	} {
		cmd := root()
		cmd.SetArgs(strings.Fields(args))
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("yolk %s: error %v, want one with %q", args, err, want)
		}
	}
}
