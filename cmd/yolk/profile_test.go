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
)

// burner is a program that is busy for known times, in an init function and in
// main, waits in between, and ends as it is told. Its last word tells how long it
// was busy.
const burner = `package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"time"
)

var sink, busy = 0, time.Duration(0)

//go:noinline
func loop() {
	for i := range 10_000 {
		sink += i
	}
}

func burn(d time.Duration) {
	t := time.Now()
	for time.Since(t) < d {
		loop()
	}
	busy += time.Since(t)
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
	fmt.Println(busy)
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
	out, err := exec.Command("go", "tool", "pprof", "-top", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table = string(out)
	if m := regexp.MustCompile(`Total samples = (\S+)`).FindStringSubmatch(table); m != nil {
		total, _ = time.ParseDuration(m[1])
	}
	return total, table
}

// checkProfile looks for functions and for a total that goes with the time that
// the program was busy. The host may have had little time for the guest.
func checkProfile(t *testing.T, file, busy string, functions ...string) {
	t.Helper()
	used, err := time.ParseDuration(strings.TrimSpace(busy))
	if err != nil {
		t.Fatal(err)
	}
	total, table := top(t, file)
	if total < used/10 || total > used+used/4 {
		t.Errorf("samples of %v, the program was busy for %v", total, used)
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
		flags  []string
	}{
		{end: "return"},
		{end: "exit", status: 3},
		{end: "panic", status: 2},
		{end: "wait", status: statusTimeout, flags: []string{"--timeout", "15s"}},
	} {
		machine := machines[i%len(machines)]
		t.Run(tt.end+"/"+machine, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profile")
			args := append([]string{"run", "-q", "--machine", machine, "--profile", file}, tt.flags...)
			got := runCommand(t, yolkCommand(t, dir, append(args, ".", "--", tt.end)...))
			if got.status != tt.status {
				t.Fatalf("status %d, want %d: %s", got.status, tt.status, got.stderr)
			}
			checkProfile(t, file, got.stdout, "main.loop", "main.inInit", "main.inMain", "main.main")
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
		if _, err := os.Stat(file); got.status != 2 || err == nil || !strings.Contains(got.stderr, "no profile") {
			t.Errorf("status %d, %v: %s", got.status, err, got.stderr)
		}
	})
}

// TestGuestTestProfile has go test take a profile in the guest.
func TestGuestTestProfile(t *testing.T) {
	needGuest(t)
	dir := sharedDir(t)
	layOut(t, dir, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n",
		"m_test.go": "package m\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nvar sink int\n\n" +
			"//go:noinline\nfunc loop() {\n\tfor i := range 10_000 {\n\t\tsink += i\n\t}\n}\n\n" +
			"func TestBusy(t *testing.T) {\n\tfor t := time.Now(); time.Since(t) < time.Second; {\n\t\tloop()\n\t}\n}\n",
	})
	got := runCommand(t, yolkCommand(t, dir, "test", "-cpuprofile=cpu.prof", "."))
	if got.status != 0 {
		t.Fatalf("status %d: %s%s", got.status, got.stdout, got.stderr)
	}
	checkProfile(t, filepath.Join(dir, "cpu.prof"), fmt.Sprint(time.Second), "example.com/m.loop")
}
