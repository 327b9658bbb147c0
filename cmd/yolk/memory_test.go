package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// TestGuestMemory: what lives in some RAM under Linux with GOMEMLIMIT a little
// below it lives in a machine with that RAM, and the runtime takes no more than the
// limit and 3 %.
func TestGuestMemory(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, tt := range []struct {
		mem, kind, live string // MiB that are in use at the same time
	}{
		{"256M", "blocks", "150"},
		{"256M", "small", "130"},
		{"256M", "odd", "150"},
		{"256M", "mixed", "150"},
		{"256M", "map", "64"},
		{"256M", "append", "110"}, // and half as much while a slice grows
		{"256M", "buffer", "60"},
		{"256M", "holes", "180"},
		{"256M", "files", "190"},
		{"256M", "stacks", "100"},
		{"256M", "deep", "100"}, // 64 MiB are copied to 128
		{"256M", "pair", "150"},
		{"64M", "blocks", "28"},
		{"64M", "mixed", "28"},
		{"64M", "append", "20"},
		{"64M", "holes", "32"},
		{"64M", "deep", "14"},
		{"4G", "holes", "400"},
	} {
		for _, cpus := range []string{"1", "2"} {
			t.Run(fmt.Sprintf("%s-%s-%s", tt.kind, tt.mem, cpus), func(t *testing.T) {
				r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--mem", tt.mem, "--cpus", cpus, "--timeout", "15m", "--root", t.TempDir(), ".", "--", tt.kind, tt.live))
				var system, limit, collections int
				if _, err := fmt.Sscanf(r.stdout, "system %d limit %d collections %d", &system, &limit, &collections); r.status != 0 || err != nil {
					t.Fatalf("status %d, stdout %q, stderr:\n%s", r.status, r.stdout, r.stderr)
				}
				if system > limit+limit*3/100 {
					t.Errorf("%d bytes from the system, %.1f%% of the limit", system, 100*float64(system)/float64(limit))
				}
				t.Logf("%s", strings.TrimSpace(r.stdout))
			})
		}
	}
}

// TestGuestZero: all memory is zero that a program gets, also what the kernel does
// not clear because nobody has touched it.
func TestGuestZero(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, machine := range machines {
		for _, tt := range [][2]string{{"256M", "225"}, {"2G", "1900"}, {"5G", "4000"}} {
			t.Run(machine+"-"+tt[0], func(t *testing.T) {
				r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--mem", tt[0], "--timeout", "15m", ".", "--", "zero", tt[1]))
				if r.status != 0 {
					t.Errorf("status %d, stdout %q, stderr:\n%.2000s", r.status, r.stdout, r.stderr)
				}
			})
		}
	}
}

// TestGuestUntouched: a large block that nobody touches takes no memory of the host.
func TestGuestUntouched(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			setting := fmt.Sprintf("YOLK_UNTOUCHED=%d-%s", os.Getpid(), machine)
			cmd := yolkCommand(t, dir, "run", "-q", "--machine", machine, "--mem", "2G", "--timeout", "15m", ".", "--", "untouched", "1500")
			cmd.Env = append(os.Environ(), setting)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, len("there\n"))); err != nil {
				t.Error(err)
			}
			most, looked := 0, 0
			for pid := range marked(t, setting) {
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				if err != nil {
					continue // it has ended
				}
				for _, line := range strings.Split(string(b), "\n") {
					if n := 0; strings.HasPrefix(line, "VmRSS:") {
						fmt.Sscanf(line, "VmRSS: %d kB", &n)
						most, looked = max(most, n), looked+1
					}
				}
			}
			in.Close()
			io.Copy(io.Discard, out)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if looked < 2 || most > 500<<10 {
				t.Errorf("the largest of %d processes takes %d KiB for a block of 1,500 MiB that is not touched", looked, most)
			}
		})
	}
}

// TestGuestOutOfMemory: a program that uses more than there is ends and says so,
// with blocks of any size.
func TestGuestOutOfMemory(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, cpus := range []string{"1", "2"} {
		for _, live := range []string{"1", "7", "40", "300", "1048576"} { // the last is 1 TiB
			t.Run(live+"-"+cpus, func(t *testing.T) {
				r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--mem", "256M", "--cpus", cpus, "--timeout", "15m", ".", "--", "toomuch", live))
				if r.status != 2 || !strings.Contains(r.stderr, "fatal error: out of memory") {
					t.Errorf("status %d, stderr:\n%.2000s", r.status, r.stderr)
				}
			})
		}
	}
}

// TestGuestStackOverflow: recursion without end is reported as such, however little
// or much RAM there is, and beside a heap that is in use.
func TestGuestStackOverflow(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, mem := range []string{"64M", "256M", "1G", "4G"} {
		for _, kind := range []string{"endless", "crowded", "many"} {
			for _, cpus := range []string{"1", "2"} {
				t.Run(kind+"-"+mem+"-"+cpus, func(t *testing.T) {
					r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--mem", mem, "--cpus", cpus, "--timeout", "15m", ".", "--", kind, "30"))
					if r.status != 2 || !strings.Contains(r.stderr, "goroutine stack exceeds ") || !strings.Contains(r.stderr, "-byte limit\n") || !strings.Contains(r.stderr, "fatal error: stack overflow") {
						t.Errorf("status %d, stderr:\n%.2000s", r.status, r.stderr)
					}
				})
			}
		}
	}
}

// TestGuestCompiler: a compiler of WebAssembly runs the code that it makes, on
// memory that it reserves and lets grow.
func TestGuestCompiler(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "wasm")
	for i, machine := range append(machines, machines...) {
		cpus := 1 + i/len(machines)
		r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--mem", "64M", "--cpus", fmt.Sprint(cpus), "--timeout", "15m", "."))
		if r.status != 0 || r.stdout != "compiled\n" {
			t.Errorf("%s, %d CPUs: status %d, stdout %q, stderr:\n%.2000s", machine, cpus, r.status, r.stdout, r.stderr)
		}
	}
}

// TestGuestLeastMemory: a small program runs in the least memory that --mem takes.
func TestGuestLeastMemory(t *testing.T) {
	needGuest(t)
	dir := t.TempDir()
	layOut(t, dir, map[string]string{
		"go.mod":  "module example.com/hello\n\ngo 1.24\n",
		"main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n",
	})
	for _, machine := range machines {
		for _, cpus := range []string{"1", "2"} {
			r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--mem", "20M", "--cpus", cpus, "--timeout", "15m", "."))
			if r.status != 0 || r.stdout != "hello\n" {
				t.Errorf("%s, %s CPUs: status %d, stdout %q, stderr:\n%.2000s", machine, cpus, r.status, r.stdout, r.stderr)
			}
		}
	}
}
