package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

func TestSplitRunArgs(t *testing.T) {
	for _, tt := range []struct{ args, packages, program, err string }{
		{args: ".", packages: "."},
		{args: "./cmd/x -- -v y", packages: "./cmd/x", program: "-v y"},
		{args: "./cmd/x -v y", packages: "./cmd/x", program: "-v y"},
		{args: ". y -- z", packages: ".", program: "y -- z"},
		{args: ". -- -- z", packages: ".", program: "-- z"},
		{args: ". a.go", packages: ".", program: "a.go"},
		{args: "a.go b.go -- c.go", packages: "a.go b.go", program: "c.go"},
		{args: "a.go b.go c d.go", packages: "a.go b.go", program: "c d.go"},
		{args: "example.com/x@v1 --root y", packages: "example.com/x@v1", program: "--root y"},
		{args: "", err: "no package"},
	} {
		packages, program, err := splitRunArgs(strings.Fields(tt.args))
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

// Options are taken with one dash and with two, as Go's tools do, up to the
// package.
func TestDoubleDashes(t *testing.T) {
	for args, want := range map[string]string{
		"run -tags a,b -trimpath . -tags c":                "run --tags a,b --trimpath . -tags c",
		"run -ldflags=-s -gcflags all=-N -root /x -q -v .": "run --ldflags=-s --gcflags all=-N --root /x -q -v .",
		"run -env -mem -mem 1g . -mem":                     "run --env -mem --mem 1g . -mem",
		"run -- . -mem 1g":                                 "run -- . -mem 1g",
		"run --mem 1g -nonsense . ":                        "run --mem 1g -nonsense .",
		"build . -o f -tags x -trimpath":                   "build . -o f --tags x --trimpath",
		"build -o -tags -- -tags":                          "build -o -tags -- -tags",
		"test -run X -mem 1g":                              "test -run X -mem 1g",
		"go vet -tags x":                                   "go vet -tags x",
		"toolchain -into d":                                "toolchain --into d",
		"nonsense -tags":                                   "nonsense -tags",
		"":                                                 "",
		cobra.ShellCompRequestCmd + " run -tags x -machine ": cobra.ShellCompRequestCmd + " run --tags x --machine",
	} {
		if got := strings.Join(doubleDashes(root(), strings.Fields(args)), " "); got != strings.TrimSpace(want) {
			t.Errorf("%q becomes %q, want %q", args, got, want)
		}
	}
}

func TestSplitGuestFlags(t *testing.T) {
	for _, tt := range []struct{ args, guest, rest string }{
		{"", "", ""},
		{"--machine q35 -v ./...", "--machine q35", "-v ./..."},
		{"--mem=2G --machine=q35 os", "--mem=2G --machine=q35", "os"},
		{"-run X --machine q35", "--machine q35", "-run X"},
		{"-run --machine q35", "", "-run --machine q35"},
		{"-count 1 ./... -mem 2G -v --root /x", "--mem 2G --root /x", "-count 1 ./... -v"},
		{"--verbose --mem 2G -- os", "--verbose --mem 2G", "-- os"},
		{"os -args --mem 2G", "", "os -args --mem 2G"},
		{"-own --mem 2G -test.run --mem", "--mem 2G", "-own -test.run --mem"},
		{"-timeout 5s -cpu 1,2 --cpus 2", "--cpus 2", "-timeout 5s -cpu 1,2"},
		{"--machine", "--machine", ""},
	} {
		guest, rest, err := splitGuestFlags(strings.Fields(tt.args))
		if err != nil || strings.Join(guest, " ") != tt.guest || strings.Join(rest, " ") != tt.rest {
			t.Errorf("%q: %q, %q, %v", tt.args, guest, rest, err)
		}
	}
	for args, want := range map[string]string{
		"./... -exec x": "-exec: yolk itself", "--exec=x": "-exec: yolk itself", "-race": "no race detector",
		"-fuzz FuzzX": "the guest starts no processes", "-C x": "cd DIR",
	} {
		if _, _, err := splitGuestFlags(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", args, err, want)
		}
	}
	if _, err := parseGuestFlags([]string{"--machine"}); err == nil {
		t.Error("no error for an option without its value")
	}
}

// Whatever yolk test is told of guests reaches exec-test, which runs in another
// directory.
func TestTestSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Fields("--accel=tcg --cache=none --cpus=3 --daemon=builtin --disk=d.qcow2:ro --disk=/e --dns=1.1.1.1 --env=A=x --env=B --env-file=f " +
		"--gateway=10.0.2.3 --hostname=h --ip=10.0.2.9/24 --mac=52:54:00:12:34:56 --machine=q35 --mem=2g --mount=a:/b:rw --mount=/c:/d --mount-disk=vda:/m:overlay " +
		"--net=user --pcap=p --publish=0:80 --qemu-arg=-device --qemu-arg=x,y=z --root=r:ro")
	want := slices.Clone(args)
	for i, a := range want {
		for _, relative := range []string{"d.qcow2:ro", "f", "a:/b:rw", "p", "r:ro"} {
			if option, value, _ := strings.Cut(a, "="); value == relative {
				want[i] = option + "=" + wd + "/" + value
			}
		}
	}
	given := map[string]bool{"verbose": true} // which is for the user
	for _, a := range args {
		option, _, _ := strings.Cut(a, "=")
		given[option[2:]] = true
	}
	guestSet(&options.Guest{}).VisitAll(func(f *pflag.Flag) {
		if !given[f.Name] {
			t.Errorf("--%s is not tried here", f.Name)
		}
	})
	f, err := parseGuestFlags(append(slices.Clone(args[1:]), "--verbose"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Decide(qemu.TCG); err != nil {
		t.Fatal(err)
	}
	text, err := newTestSettings(f, "/scratch", []string{"A=1", "B"})
	if err != nil {
		t.Fatal(err)
	}
	var got testSettings
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, settingsVar+"=")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Scratch != "/scratch" || !slices.Equal(got.Environ, []string{"A=1", "B"}) {
		t.Errorf("%q", text)
	}
	slices.Sort(got.Guest)
	slices.Sort(want)
	if !slices.Equal(got.Guest, want) {
		t.Errorf("got  %q\nwant %q", got.Guest, want)
	}
	if _, err := parseGuestFlags(got.Guest); err != nil {
		t.Errorf("read again: %v", err)
	}
}

func TestTestEnvironment(t *testing.T) {
	got := testEnvironment([]string{"A=1", settingsVar + "=x", "TMPDIR=/x", "GOTMPDIR=/y", "HOME=/root"})
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
	interrupted, cancel := context.WithCancelCause(context.Background())
	cancel(&qemu.SignalError{Signal: syscall.SIGINT})
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, 0},
		{t.Context(), errors.New("x"), 125},
		{t.Context(), exit.Status(200), 200},
		{t.Context(), &qemu.SignalError{Signal: syscall.SIGTERM}, 143},
		{interrupted, errors.New("a step has failed"), 130},
		{interrupted, exit.Status(2), 2},
		{interrupted, nil, 0},
	} {
		if got := statusOf(tt.ctx, tt.err, io.Discard); got != tt.want {
			t.Errorf("status(%v, %v) = %d, want %d", context.Cause(tt.ctx), tt.err, got, tt.want)
		}
	}
}

func TestVersion(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "amd64"},
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got, want := versionOf(info), "yolk (devel) 0123456789ab with changes, go1.26.8 linux/amd64"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info.Main.Version = "v1.2.3"
	if got, want := versionOf(info), "yolk v1.2.3, go1.26.8 linux/amd64"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOptions has wrong options end before anything is built.
func TestOptions(t *testing.T) {
	dir := t.TempDir()
	many := ""
	for i := range 30 {
		many += fmt.Sprintf(" --mount %s:/m%d", dir, i)
	}
	other := filepath.Join(dir, "other.elf")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	blocks := filepath.Join(dir, "blocks")
	layOut(t, dir, map[string]string{"other.elf": string(self), "blocks": strings.Repeat("x", 512), "broken.elf": "\x7fELF", "text": "text"})
	for args, want := range map[string]string{
		"run":                          "no package",
		"run --machine pc .":           `invalid argument "pc" for "--machine" flag: want one of microvm, q35`,
		"run --accel hvf .":            `"--accel" flag: want one of auto, kvm, tcg`,
		"run --daemon x .":             `"--daemon" flag: want one of auto, virtiofsd, builtin`,
		"run --cache x .":              `"--cache" flag: want one of auto, none`,
		"run --mem 1M .":               "needs 20M",
		"run --mem lots .":             "a number of MiB, or one with a unit",
		"run --cpus 0 .":               `"--cpus" flag: want a number from 1 to 64`,
		"run --cpus two .":             "from 1 to 64",
		"run --env =x .":               "--env",
		"run --env-file /no/such .":    "--env-file: open /no/such",
		"run --root /no/such .":        "cannot share /no/such: no such file or directory",
		"run --root /etc/passwd .":     "not a directory",
		"run --root :ro .":             "want DIR",
		"run --mount /etc:/proc .":     "has a /proc of its own",
		"run --mount /etc:/dev/ .":     "has a /dev of its own",
		"run --mount /etc:/a/../tmp .": "has a /tmp of its own",
		"run --mount-disk vda:/data .": "--mount-disk vda:/data: the guest has no disks; --disk gives it one",
		"run --disk " + blocks + " --mount-disk vdb1:/data .":                          "no such disk; the last --disk is vda",
		"run --disk " + blocks + " --mount-disk vda:/proc .":                           "has a /proc of its own",
		"run --mount-disk vda:/data --mount-disk vda1:/data/ .":                        "/data is taken by vda",
		"run --mount-disk vda:/a --mount-disk vda:/b .":                                "vda is mounted on /a already",
		"run --disk " + blocks + " --mount-disk vda:/data --cwd /other .":              `--cwd "/other": the guest has no such directory`,
		"run --disk " + blocks + " --mount-disk vda:/data --mount " + dir + ":/data .": "--mount-disk vda:/data: /data is taken by --mount " + dir + ":/data",
		"build --mount-disk vda:/tmp .":                                                "has a /tmp of its own",
		"image --mount-disk vda:/dev/../tmp .":                                         "has a /tmp of its own",
		"bundle -o " + dir + "/new --mount-disk vda:/data .":                           "the guest has no disks",
		"run --cwd /none .":                    `--cwd "/none": the guest has no such directory: share one`,
		"run --cwd /none --root " + dir + " .": `--cwd "/none": /none in the guest: no such file or directory`,
		"run --timeout x .":                    "want a time such as",
		"run --timeout 2 .":                    "want a unit, as in 2s for seconds or 2m for minutes",
		"run --timeout -2s .":                  "cannot be negative",
		"run --timeout -2 .":                   "want a unit",
		"run" + many + " .":                    "30 directories to share, and a microvm has room for",
		"run --machine q35" + many + " .":      "30 directories to share, and a q35 has room for",
		"run -race .":                          "-race: there is no race detector",
		"run -exec x .":                        "-exec: yolk itself",
		"run " + other:                         "other.elf cannot be booted: a Go program for linux/amd64; yolk build makes images",
		"run " + dir + "/broken.elf":           "broken.elf cannot be booted: not built by Go",
		"run -tags x " + other:                 "-tags is for building, and " + other + " is built already",
		"run -profile x " + other:              "--profile is for building",
		"run -lock-profile x " + other:         "--lock-profile is for building",
		"toolchain --no-tools":                 "--into",
		"toolchain x":                          `"x": yolk toolchain takes no arguments`,
		"doctor x":                             `"x": yolk doctor takes no arguments`,
		"version x":                            `"x": yolk version takes no arguments`,
		"go build ./...":                       "yolk build builds programs",
		"go run .":                             "yolk run runs programs",
		"go test":                              "yolk test runs tests",
		"test --machine pc":                    "--machine",
		"test ./... --mem 1M":                  "needs 20M",
		"test --root /no/such":                 "cannot share /no/such",
		"test -exec x":                         "-exec: yolk itself",
		"nonsense":                             "unknown command",
		"rn .":                                 "Did you mean this?",
		"run --machine q35 --nonsense .":       "unknown flag: --nonsense; yolk run --help lists the options",
	} {
		cmd := root()
		cmd.SetArgs(doubleDashes(cmd, strings.Fields(args)))
		cmd.SetContext(t.Context())
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("yolk %.100s: error %v, want one with %q", args, err, want)
		}
	}
}

// The shell completes the values of options, for all commands that boot guests.
func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"run --machine ":        "microvm\nq35\n:4\n",
		"run -machine ":         "microvm\nq35\n:4\n",
		"run --accel k":         "auto\nkvm\ntcg\n:4\n",
		"run --daemon ":         "auto\nvirtiofsd\nbuiltin\n:4\n",
		"run --cache=":          "auto\nnone\n:4\n",
		"run --root ":           ":16\n",
		"run --mount /a:/b":     "/a:/b:ro\n/a:/b:rw\n:4\n",
		"test --machine ":       "microvm\nq35\n:4\n",
		"test ./... --machine=": "--machine=microvm\n--machine=q35\n:4\n",
		"test --mach":           "--machine\tmachine type\n:4\n",
		"run . --machine ":      ":0\n",
		"toolchain --into ":     ":16\n",
	} {
		cmd := root()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		cmd.SetArgs(doubleDashes(cmd, append([]string{cobra.ShellCompRequestCmd}, strings.Split(args, " ")...)))
		if err := cmd.Execute(); err != nil || out.String() != want {
			t.Errorf("yolk %s: %q, %v, want %q", args, &out, err, want)
		}
	}
}

func TestOutputFile(t *testing.T) {
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	layOut(t, wd, map[string]string{"cmd/main.go": "", "file": ""})
	for _, tt := range []struct{ out, program, want string }{
		{"", "prog", "prog"},
		{"", "file", "file"},
		{"", "cmd", "error: cmd is a directory here"},
		{"cmd", "prog", "cmd/prog"},
		{"cmd", "cmd", "cmd/cmd"},
		{"new/", "prog", "new/prog"},
		{"other", "prog", "other"},
		{"file/", "prog", "error: file exists"},
	} {
		got, err := outputFile(tt.out, tt.program)
		if part, ok := strings.CutPrefix(tt.want, "error: "); ok {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q, %q: %q, error %v, want one with %q", tt.out, tt.program, got, err, part)
			}
		} else if err != nil || got != filepath.Join(wd, tt.want) {
			t.Errorf("%q, %q: %q, %v, want %q", tt.out, tt.program, got, err, tt.want)
		}
	}
}

func TestProgressText(t *testing.T) {
	for _, tt := range []struct {
		n    int
		pkg  string
		want string
	}{
		{0, "", "yolk: building, 2 s"}, {7, "net/http", "yolk: building, 2 s, 7 compiled: net/http"},
	} {
		if got := progressText(tt.n, tt.pkg, 2*time.Second); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestDescriptorCure: an error for want of descriptors says where they are limited, whoever
// found it, and another one does not.
func TestDescriptorCure(t *testing.T) {
	for text, want := range map[string]string{
		"socket pair: too many open files":                             "(ulimit -n)",
		"qemu-system-x86_64: -chardev socket: Too many open files":     "(ulimit -n)",
		"open /x: too many open files in system":                       "fs.file-max",
		"writing the program's stdout: no space left on device; a lot": "",
	} {
		got := descriptorCure(errors.New(text))
		if !strings.HasSuffix(got, want) && !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q gets %q, want one with %q", text, got, want)
		}
	}
}

// TestGuestFewDescriptors starts yolk with fewer and fewer of them, until a program runs no
// more: then it is said why.
func TestGuestFewDescriptors(t *testing.T) {
	needGuest(t)
	dir := streamsProgram(t)
	runs := runCommand(t, limited(streamsRun(t, dir, "microvm", "once"), "64"))
	if runs.status != 0 || runs.stdout != "a line\n" {
		t.Errorf("with 64: %+v", runs)
	}
	for _, n := range []string{"28", "20", "16"} {
		got := runCommand(t, limited(streamsRun(t, dir, "microvm", "once"), n))
		if got.status != exit.Failed || !strings.Contains(got.stderr, "a process may have "+n+" descriptors here: raise the limit (ulimit -n)") {
			t.Errorf("with %s: %+v", n, got)
		}
	}
}

// limited has a command run with n descriptors.
func limited(cmd *exec.Cmd, n string) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", "ulimit -n " + n + "; exec \"$@\"", "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return cmd
}
