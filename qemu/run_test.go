package qemu

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

type outcome struct {
	status                         int
	err                            error
	stdout, stderr, console, notes string
}

func runGuest(t *testing.T, ctx context.Context, change func(o *Options)) (got outcome) {
	t.Helper()
	kernel, err := memfile("kernel", nil)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr, console, notes bytes.Buffer
	o := &Options{
		Kernel: kernel, Args: []string{"prog"}, Dir: "/", Machine: MicroVM, Accel: TCG, Memory: 64 << 20,
		Daemon: AutoDaemon, Self: []string{self, "serve-fs"},
		Stdout: &stdout, Stderr: &stderr, Console: &console, Notes: &notes,
	}
	if change != nil {
		change(o)
	}
	got.status, got.err = Run(ctx, o)
	got.stdout, got.stderr, got.console, got.notes = stdout.String(), stderr.String(), console.String(), notes.String()
	return got
}

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name, do string
		change   func(o *Options)
		status   int
		err      string // part of the error
		stdout   string
	}{
		{name: "status", do: "ctl:yolk_main ctl:yolk_exit_300 end:89", status: 300},
		{name: "status 0", do: "ctl:yolk_main ctl:yolk_exit_0 end:1"},
		{name: "status by debug-exit alone", do: "end:7", status: 3},
		{name: "first status counts", do: "ctl:yolk_exit_4 ctl:yolk_exit_5 end:1", status: 4},
		{name: "lines that mean nothing", do: "ctl:yolk_exit_x ctl:yolk ctl:" + strings.Repeat("y", 5000) + " ctl:yolk_exit_6 end:1", status: 6},
		{name: "triple fault", do: "ctl:yolk_main end:0", err: "without an exit status"},
		{name: "QEMU fails", do: "complain:no-such-machine end:1", err: "exit status 1: no-such-machine"},
		{name: "QEMU dies", do: "signal", err: "signal: killed"},
		{name: "QEMU without a sandbox", do: "nosandbox ctl:yolk_main ctl:yolk_exit_3 end:1", status: 3},
		{name: "guest does not power off", do: "ctl:yolk_exit_9 end:0", status: 9},
		{
			name: "input", do: "ctl:yolk_main echo ctl:yolk_exit_0 end:1",
			change: func(o *Options) { o.Stdin = strings.NewReader("some\x00input") }, stdout: "some\x00input",
		},
		{name: "no input", do: "ctl:yolk_main echo ctl:yolk_exit_0 end:1"},
		{
			name: "much input", do: "ctl:yolk_main echo ctl:yolk_exit_0 end:1",
			change: func(o *Options) { o.Stdin = strings.NewReader(strings.Repeat("x", 1<<20)) }, stdout: strings.Repeat("x", 1<<20),
		},
		{
			name: "arguments", do: "file:args ctl:yolk_exit_0 end:1",
			change: func(o *Options) { o.Args = []string{"p", "", "a b\n", "\xff", strings.Repeat("y", 1<<20)} },
			stdout: "p||a b\n|\xff|" + strings.Repeat("y", 1<<20) + "|",
		},
		{
			name: "environment", do: "file:env file:cwd file:flags ctl:yolk_exit_0 end:1",
			change: func(o *Options) { o.Env, o.Dir, o.Quiet = []string{"A=1", "B="}, "/srv", true },
			stdout: "A=1|B=|/srvfile.stdin=10600 0 0\nfile.stdout=10600 0 0\nfile.stderr=10600 0 0\nquiet=1\n",
		},
		{name: "NUL", do: "end:1", change: func(o *Options) { o.Args = []string{"a\x00b"} }, err: "NUL byte"},
		{name: "no root", do: "end:1", change: func(o *Options) { o.Shares = []Share{{Tag: "root", Dir: "/no/such"}} }, err: "cannot share /no/such: no such file"},
		{name: "root a file", do: "end:1", change: func(o *Options) { o.Shares = []Share{{Tag: "root", Dir: "/etc/passwd"}} }, err: "not a directory"},
		{name: "long tag", do: "end:1", change: func(o *Options) { o.Shares = []Share{{Tag: strings.Repeat("r", 37), Dir: "/"}} }, err: "at most 36"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.do, "")
			got := runGuest(t, context.Background(), tt.change)
			if tt.err != "" {
				if got.err == nil || !strings.Contains(got.err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", got.err, tt.err)
				}
				return
			}
			if got.err != nil || got.status != tt.status || got.stdout != tt.stdout {
				t.Errorf("status %d, output %.80q, error %v, want %d, %.80q", got.status, got.stdout, got.err, tt.status, tt.stdout)
			}
		})
	}
}

func TestStreamsAreSeparate(t *testing.T) {
	fakes(t, "uart:log stdout:out stderr:err ctl:yolk_exit_0 end:1", "")
	got := runGuest(t, context.Background(), nil)
	if got.stdout != "out\n" || got.stderr != "err\n" || got.console != "log\n" || got.err != nil {
		t.Errorf("got %+v", got)
	}
}

// TestOutputFails has the guest told what became of its output, and the user of
// what is lost if the program was not.
func TestOutputFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, tt := range []struct {
		name, do    string
		status      int
		err, stderr string
	}{
		{"told", "ctl:yolk_main stdout:x hears:stream-failed_stdout_28 says:stream-told_stdout ctl:yolk_exit_0 end:1", 0, "", ""},
		{"not told", "ctl:yolk_main stdout:x hears:stream-failed_stdout_28 ctl:yolk_exit_0 end:1", 0, "writing the program's stdout: no space left on device", ""},
		{"its status counts", "ctl:yolk_main stdout:x says:stream-told_stderr ctl:yolk_exit_3 end:1", 3, "", "writing the program's stdout: no space left on device"},
	} {
		fakes(t, tt.do, "")
		got := runGuest(t, context.Background(), func(o *Options) { o.Stdout = full })
		if got.status != tt.status || (got.err == nil) != (tt.err == "") || tt.err != "" && !strings.Contains(got.err.Error(), tt.err) || !strings.Contains(got.notes, tt.stderr) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestOneOutput: what goes to one place comes from one port.
func TestOneOutput(t *testing.T) {
	var all bytes.Buffer
	fakes(t, "file:flags stdout:out uart:log ctl:yolk_exit_0 end:1", "")
	got := runGuest(t, context.Background(), func(o *Options) { o.Stdout, o.Stderr, o.Console = &all, &all, &all })
	if want := "console.stdout=1\nstderr=stdout\nout\nlog\n"; got.err != nil || !strings.HasSuffix(all.String(), "out\nlog\n") || !strings.Contains(all.String(), "stderr=stdout\n") || !strings.Contains(all.String(), "console.stdout=1\n") {
		t.Errorf("%q, %v, want something like %q", all.String(), got.err, want)
	}
}

func TestTimeout(t *testing.T) {
	fakes(t, "ctl:yolk_main stdout:before hang", "")
	enough(t, func(limit time.Duration) bool {
		got := runGuest(t, context.Background(), func(o *Options) { o.Timeout = limit })
		if !errors.Is(got.err, ErrTimeout) {
			t.Fatalf("got %+v", got)
		}
		return got.stdout == "before\n"
	})
}

// enough finds the limit that suffices here and now for what f is to reach
// before it, and reports if there is none.
func enough(t *testing.T, f func(limit time.Duration) bool) {
	t.Helper()
	for limit := 300 * time.Millisecond; !f(limit); limit *= 4 {
		if limit > time.Minute {
			t.Fatalf("%v do not suffice", limit)
		}
	}
}

func TestCancel(t *testing.T) {
	fakes(t, "pid hang", "serve")
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(context.Background())
	pid := make(chan int, 1)
	got := runGuest(t, ctx, func(o *Options) {
		o.Shares = []Share{{Tag: "root", Dir: t.TempDir()}}
		o.Stdout = writerFunc(func(p []byte) {
			n, _ := strconv.Atoi(strings.TrimSpace(string(p)))
			pid <- n
			cancel(reason)
		})
	})
	if !errors.Is(got.err, reason) {
		t.Errorf("error %v", got.err)
	}
	if err := syscall.Kill(<-pid, 0); err != syscall.ESRCH {
		t.Errorf("QEMU is still there: %v", err)
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestDaemon(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	share := func(d Daemon) func(o *Options) {
		return func(o *Options) { o.Shares, o.Daemon = []Share{{Tag: "root", Dir: dir}}, d }
	}
	for _, tt := range []struct {
		name, qemu, daemon string
		change             func(o *Options)
		status             int
		err, notes         string
	}{
		{name: "serves", qemu: "ctl:yolk_main ctl:yolk_exit_3 end:1", daemon: "serve", change: share(AutoDaemon), status: 3},
		{name: "ends with the guest", qemu: "ctl:yolk_exit_3 end:1", daemon: "serve end", change: share(Virtiofsd), status: 3},
		{name: "fails", qemu: "hang", daemon: "complain:not-here end", change: share(Virtiofsd), err: "virtiofsd ended with exit status 1: not-here"},
		{name: "fails and is replaced", qemu: "alive ctl:yolk_main ctl:yolk_exit_6 end:1", daemon: "complain:not-here end", status: 6, change: share(AutoDaemon), notes: "built-in virtio-fs server in use: "},
		{
			name: "fails and QEMU with it", qemu: "complain:vhost_backend_init-failed:-Protocol-error end:1", daemon: "complain:first complain:mount-root end",
			change: share(Virtiofsd), err: "virtiofsd ended with exit status 1: first; mount-root",
		},
		{
			name: "fails later than QEMU", qemu: "complain:vhost_backend_init-failed end:1", daemon: "linger complain:mount-root end",
			change: share(Virtiofsd), err: "virtiofsd ended with exit status 1: mount-root",
		},
		{
			name: "fails and QEMU with it, replaced", qemu: "served:vhost_backend_init-failed ctl:yolk_main ctl:yolk_exit_6 end:1", daemon: "complain:mount-root end",
			change: share(AutoDaemon), status: 6, notes: "built-in virtio-fs server in use: ",
		},
		{
			name: "QEMU fails", qemu: "complain:no-such-machine end:1", daemon: "serve complain:lost end",
			change: share(AutoDaemon), err: "exit status 1: no-such-machine",
		},
		{name: "dies", qemu: "ctl:yolk_main hears:share-ended_root ctl:yolk_exit_4 end:1", daemon: "linger complain:why end", change: share(Virtiofsd), status: 4, notes: "yolk: share root: "},
		{name: "dies in peace", qemu: "ctl:yolk_main hears:share-ended_root ctl:yolk_exit_4 end:1", daemon: "linger", change: share(Virtiofsd), status: 4, notes: "virtiofsd ended; what is open there answers EIO; the server is started again"},
		{name: "builtin", qemu: "ctl:yolk_main ctl:yolk_exit_5 end:11", change: share(Builtin), status: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.qemu, tt.daemon)
			got := runGuest(t, context.Background(), tt.change)
			if (got.err == nil) != (tt.err == "") || got.err != nil && !strings.Contains(got.err.Error(), tt.err) {
				t.Errorf("error %v, want one with %q", got.err, tt.err)
			}
			if got.status != tt.status || !strings.Contains(got.notes, tt.notes) || tt.notes == "" && got.notes != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
