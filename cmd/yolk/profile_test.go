package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
)

// burner is a program that is busy for known times, in an init function and in
// main, waits in between, and ends as it is told. Its last words tell how long it
// was busy, by the clock and by its work: a step that takes a millisecond or more is
// one in which the host had other things to do.
const burner = `package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"time"
)

var (
	sink       int
	busy, work time.Duration
)

//go:noinline
func loop() {
	for i := range 10_000 {
		sink += i
	}
}

func burn(d time.Duration) {
	for end := work + d; work < end; {
		t := time.Now()
		loop()
		step := time.Since(t)
		busy += step
		work += min(step, time.Millisecond)
	}
}

func inInit() { burn(400 * time.Millisecond) }

func inMain() {
	for range 100 {
		burn(4 * time.Millisecond)
		time.Sleep(4 * time.Millisecond)
	}
	time.Sleep(time.Second)
}

func init() { inInit() }

func main() {
	if os.Args[1] == "own" {
		f, err := os.Create("own.prof")
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			panic(err)
		}
		defer pprof.StopCPUProfile()
		inInit()
	}
	inMain()
	fmt.Println(busy, work)
	switch os.Args[1] {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("the reason")
	case "wait":
		select {}
	}
}
`

// top runs pprof and returns the time of all samples and its table.
func top(t *testing.T, file string) (total time.Duration, table string) {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-top", "-nodefraction=0", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table = string(out)
	if m := regexp.MustCompile(`Total samples = (\S+)`).FindStringSubmatch(table); m != nil {
		total, _ = time.ParseDuration(m[1])
	}
	return total, table
}

// checkProfile looks for functions and for a total that goes with the times of
// busy and work that the program has told.
func checkProfile(t *testing.T, file, times string, functions ...string) {
	t.Helper()
	var used [2]time.Duration
	for i, s := range strings.Fields(times) {
		var err error
		if used[i], err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	total, table := top(t, file)
	if busy, work := used[0], used[1]; work == 0 || total < work/10 || total > busy+busy/4 {
		t.Errorf("samples of %v; the program was busy for %v, with work for %v", total, busy, work)
	}
	for _, f := range functions {
		if !regexp.MustCompile(`(?m) ` + regexp.QuoteMeta(f) + `( \(inline\))?$`).MatchString(table) {
			t.Errorf("%s is not in the profile", f)
		}
	}
	if t.Failed() {
		t.Log(table)
	}
}

func TestGuestProfile(t *testing.T) {
	needGuest(t)
	dir, root := t.TempDir(), t.TempDir()
	layOut(t, dir, map[string]string{"go.mod": "module example.com/burner\n\ngo 1.24\n", "main.go": burner})
	for i, tt := range []struct {
		end    string
		status int
	}{
		{"return", 0}, {"exit", 3}, {"panic", 2}, {"wait", exit.Timeout},
	} {
		machine := machines[i%len(machines)]
		t.Run(tt.end+"/"+machine, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profile")
			enough(t, func(limit time.Duration) bool {
				got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--profile", file,
					"--timeout", fmt.Sprint(limit), ".", "--", tt.end))
				if got.status == exit.Timeout && (got.stdout == "" || tt.status != exit.Timeout) {
					return false
				}
				if got.status != tt.status {
					t.Fatalf("status %d, want %d: %s", got.status, tt.status, got.stderr)
				}
				checkProfile(t, file, got.stdout, "main.loop", "main.inInit", "main.inMain", "main.main")
				return true
			})
		})
	}
	t.Run("the program's own", func(t *testing.T) {
		got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--root", root, ".", "--", "own"))
		if got.status != 0 {
			t.Fatalf("status %d: %s", got.status, got.stderr)
		}
		checkProfile(t, filepath.Join(root, "own.prof"), got.stdout, "main.loop", "main.inMain", "main.main")
	})
	t.Run("no profile", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "profile")
		got := runCommand(t, yolkCommand(t, probe(t), "run", "-q", "--profile", file, ".", "--", "throw"))
		if _, err := os.Stat(file); got.status != 2 || err == nil || !strings.Contains(got.stderr, "no CPU profile") {
			t.Errorf("status %d, %v: %s", got.status, err, got.stderr)
		}
	})
}

// TestGuestLockProfile has a program wait for a lock of its own and for one of the
// kernel's, and finds who held them, where the program ends and where the launcher asks.
func TestGuestLockProfile(t *testing.T) {
	needGuest(t)
	dir := program(t, "contended")
	for i, tt := range []struct {
		end    string
		status int
	}{
		{"exit", 3}, {"wait", exit.Timeout},
	} {
		machine := machines[i%len(machines)]
		t.Run(tt.end+"/"+machine, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profile")
			enough(t, func(limit time.Duration) bool {
				got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--root", t.TempDir(), "--lock-profile", file,
					"--timeout", fmt.Sprint(limit), ".", "--", tt.end))
				if got.status == exit.Timeout && (got.stdout == "" || tt.status != exit.Timeout) {
					return false
				}
				if got.status != tt.status {
					t.Fatalf("status %d, want %d: %s", got.status, tt.status, got.stderr)
				}
				_, table := top(t, file)
				for _, f := range []string{`main\.mine`, `github\.com/yolkos/yolk/syscalls\.\S+`} {
					if !regexp.MustCompile(`(?m) ` + f + `( \(inline\))?$`).MatchString(table) {
						t.Errorf("%s is not in the profile:\n%s", f, table)
					}
				}
				return true
			})
		})
	}
}

// TestGuestTestProfile has go test take a profile in the guest.
func TestGuestTestProfile(t *testing.T) {
	needGuest(t)
	dir := sharedDir(t)
	layOut(t, dir, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n",
		"m_test.go": "package m\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nvar sink int\n\n" +
			"//go:noinline\nfunc loop() {\n\tfor i := range 10_000 {\n\t\tsink += i\n\t}\n}\n\n" +
			"func TestBusy(t *testing.T) {\n\tfor work := time.Duration(0); work < time.Second; {\n\t\tt := time.Now()\n\t\tloop()\n" +
			"\t\twork += min(time.Since(t), time.Millisecond)\n\t}\n}\n",
	})
	got := runCommand(t, yolkCommand(t, dir, "test", "-cpuprofile=cpu.prof", "."))
	if got.status != 0 {
		t.Fatalf("status %d: %s%s", got.status, got.stdout, got.stderr)
	}
	checkProfile(t, filepath.Join(dir, "cpu.prof"), "1h 1s", "example.com/m.loop")
}
