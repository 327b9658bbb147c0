package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clockGuest is a guest that runs testdata/clock.
type clockGuest struct {
	t       *testing.T
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	sockets string // directory of QEMU's monitor
	mark    string
}

// startClock boots the guest. Its QEMU has a monitor besides.
func startClock(t *testing.T, machine string) *clockGuest {
	t.Helper()
	g := &clockGuest{t: t, mark: fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())}
	var err error
	if g.sockets, err = os.MkdirTemp("", "yolk-qmp-"); err != nil { // a short name
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(g.sockets) })
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/clock/main.go")
	if err != nil {
		t.Fatal(err)
	}
	layOut(t, dir, map[string]string{"go.mod": "module example.com/clock\n\ngo 1.24\n", "main.go": string(source)})
	path := wrapQEMU(t, `exec "$QEMU" "$@" -qmp unix:`+g.sockets+`/qmp,server=on,wait=off`)
	g.cmd = yolkCommand(t, dir, "run", "-q", "--machine", machine, ".")
	g.cmd.Env = append(os.Environ(), g.mark, "PATH="+path)
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.out = bufio.NewReader(out)
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.in.Close()
		g.cmd.Wait()
	})
	return g
}

// wrapQEMU returns a PATH in which QEMU is a shell script, to which $QEMU is the
// real one.
func wrapQEMU(t *testing.T, script string) (path string) {
	t.Helper()
	const name = "qemu-system-x86_64"
	real, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "#!/bin/sh\nQEMU=" + real + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir + ":" + os.Getenv("PATH")
}

// reading is what the guest's clocks showed at some time between two of the host.
type reading struct {
	before, after time.Time
	wall, mono    int64
}

func (g *clockGuest) read() reading {
	g.t.Helper()
	r := reading{before: time.Now()}
	if _, err := g.in.Write([]byte{'x'}); err != nil {
		g.t.Fatal(err)
	}
	line, err := g.out.ReadString('\n')
	r.after = time.Now()
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &r.wall, &r.mono); err != nil {
		g.t.Fatalf("%q: %v", line, err)
	}
	return r
}

// tolerance is how far the guest's clock may be from the host's.
const tolerance = 2 * time.Millisecond

// wrong is how far the guest's clock is off for sure, whatever a busy machine has
// done in between.
func (r reading) wrong() time.Duration {
	if early := r.before.UnixNano() - r.wall; early > 0 {
		return time.Duration(-early)
	}
	return time.Duration(max(r.wall-r.after.UnixNano(), 0))
}

// check fails if the guest's clock is certainly wrong. It reads the clock a few
// times, for one quick answer tells more than many slow ones.
func (g *clockGuest) check(when string) (last reading) {
	g.t.Helper()
	for range 20 {
		last = g.read()
		if wrong := last.wrong(); wrong.Abs() > tolerance {
			g.t.Fatalf("%s: the clock is %v off", when, wrong)
		}
	}
	return last
}

// settle waits until the guest's clock is right again, as it has to be soon.
func (g *clockGuest) settle(when string) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		wrong := g.read().wrong()
		if wrong.Abs() <= tolerance {
			return
		}
		if time.Now().After(end) {
			g.t.Fatalf("%s: the clock is still %v off after a minute", when, wrong)
		}
	}
}

// monitor gives QEMU commands.
func (g *clockGuest) monitor(commands ...string) {
	g.t.Helper()
	c, err := net.Dial("unix", filepath.Join(g.sockets, "qmp"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	in := json.NewDecoder(c)
	for _, command := range append([]string{"", "qmp_capabilities"}, commands...) {
		if command != "" {
			fmt.Fprintf(c, "{\"execute\": %q}\n", command)
		}
		for {
			var answer map[string]json.RawMessage
			if err := in.Decode(&answer); err != nil {
				g.t.Fatalf("%s: %v", command, err)
			}
			if e := answer["error"]; e != nil {
				g.t.Fatalf("%s: %s", command, e)
			}
			if answer["QMP"] != nil || answer["return"] != nil {
				break
			}
		}
	}
}

// TestGuestClock compares the guest's clocks with the host's at boot, later, and
// after QEMU was stopped, by its monitor and by a signal.
func TestGuestClock(t *testing.T) {
	needGuest(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			g := startClock(t, machine)
			first := g.check("at boot")
			time.Sleep(7 * time.Second) // a sample lies in between
			last := g.check("after some seconds")
			// The monotonic clock keeps pace: 0.05 %, and what the readings
			// took.
			least := last.before.Sub(first.after) - 4*time.Millisecond
			most := last.after.Sub(first.before) + 4*time.Millisecond
			if passed := time.Duration(last.mono - first.mono); passed < least || passed > most {
				t.Errorf("%v passed on the monotonic clock, want %v to %v", passed, least, most)
			}
			for _, stop := range []time.Duration{6500 * time.Millisecond, 2500 * time.Millisecond, 300 * time.Millisecond} {
				before := g.read()
				stopped := time.Now()
				g.monitor("stop")
				time.Sleep(stop)
				g.monitor("cont")
				gone := time.Since(stopped)
				g.settle(fmt.Sprint("after a stop of ", stop))
				g.check(fmt.Sprint("some time after a stop of ", stop))
				after := g.read()
				if after.wall < before.wall {
					t.Errorf("the wall clock went back by %v", time.Duration(before.wall-after.wall))
				}
				// The monotonic clock stood still.
				if passed, most := time.Duration(after.mono-before.mono), after.after.Sub(before.before)-stop; passed < 0 || passed > most+10*time.Millisecond {
					t.Errorf("%v passed on the monotonic clock over a stop of %v, want at most %v (the host took %v)", passed, stop, most, gone)
				}
			}
			for pid, line := range marked(t, g.mark) {
				if strings.Contains(line, "-nodefaults") {
					if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
						t.Fatal(err)
					}
					time.Sleep(3 * time.Second)
					if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
						t.Fatal(err)
					}
				}
			}
			g.check("after SIGCONT")
		})
	}
}
