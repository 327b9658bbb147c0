package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/trace/tracetest"
	"github.com/yolkos/yolk/qemu"
)

// traced is a program that reads a file, turns tracing off and on, looks at what the
// kernel has of the trace, and ends with a panic.
const traced = `package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	if text, err := os.ReadFile("/dir/with a long name, longer than what is kept beside an event/file"); err != nil || string(text) != "contents" {
		panic(fmt.Sprint(text, err))
	}
	done := make(chan string)
	go func() {
		os.Stat("/other")
		stack := make([]byte, 100)
		done <- strings.Fields(string(stack[:runtime.Stack(stack, false)]))[1]
	}()
	fmt.Println(<-done)
	for range 5 {
		time.Sleep(time.Millisecond)
	}
	set := func(text string) { fmt.Println(os.WriteFile("/proc/yolk/trace", []byte(text), 0)) }
	set("off\n")
	os.Stat("/untraced")
	set("on call,fuse")
	syscall.Access("/by number", 0)
	set("onward")
	text, err := os.ReadFile("/proc/yolk/trace")
	lines := strings.Split(string(text), "\n")
	fmt.Println(lines[0], err, strings.Contains(string(text), "access"), strings.Contains(string(text), "\"/untraced\""))
	os.Stat("/last")
	panic("the reason")
}
`

// TestGuestTrace: a read is seen as nested spans from the call to the ring, to the server and back, and the goroutines as the
// CPUs run them, in a program that crashes. The same boot is drawn.
func TestGuestTrace(t *testing.T) {
	needGuest(t)
	dir, root := sharedDir(t), t.TempDir()
	layOut(t, dir, map[string]string{"go.mod": "module example.com/traced\n\ngo 1.24\n", "main.go": traced})
	layOut(t, root, map[string]string{"dir/with a long name, longer than what is kept beside an event/file": "contents"})
	for _, machine := range machines {
		for _, cpus := range []string{"1", "2"} {
			t.Run(machine+" "+cpus, func(t *testing.T) { checkTrace(t, dir, root, machine, cpus) })
		}
	}
}

func checkTrace(t *testing.T, dir, root, machine, cpus string) {
	file, chart := filepath.Join(t.TempDir(), "trace.json"), filepath.Join(t.TempDir(), "boot.svg")
	got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--timeout", "300s", "--machine", machine, "--cpus", cpus, "--daemon", "builtin", "--root", root,
		"--trace", file, "--boot-chart", chart, "."))
	lines := strings.Split(got.stdout, "\n")
	want := []string{"<nil>", "<nil>", "write /proc/yolk/trace: invalid argument", "on call,fuse <nil> true false", ""}
	if got.status != 2 || !strings.Contains(got.stderr, "the reason") || len(lines) != len(want)+1 || strings.Join(lines[1:], "\n") != strings.Join(want, "\n") {
		t.Fatalf("status %d: %s%s", got.status, got.stdout, got.stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	threads := tracetest.Spans(t, text)
	for name, path := range map[string]string{
		"FUSE LOOKUP": "openat;FUSE LOOKUP;",
		"FUSE OPEN":   "openat;FUSE OPEN;",
		"FUSE READ":   "read;FUSE READ;",
	} {
		if got := tracetest.Paths(threads["1 1"], name); !slices.Contains(got, path) {
			t.Errorf("%s is in %q, want %q", name, got, path)
		}
	}
	// A server that is done before the guest comes back from telling it is seen on its own track alone, but then the
	// goroutine has still to be woken.
	if got := strings.Join(tracetest.Paths(threads["1 1"], "wake up"), " "); !regexp.MustCompile(`FUSE \w+;wake up;`).MatchString(got) {
		t.Errorf("goroutines wake up in %q, want it in requests", got)
	}
	for _, op := range []string{"LOOKUP", "OPEN", "READ"} {
		if !strings.Contains(text, `"name":"FUSE `+op+`","ph":"b","cat":"server"`) {
			t.Errorf("the host's work for %s is not in the trace", op)
		}
	}
	if got := tracetest.Paths(threads["1 "+lines[0]], "newfstatat"); len(got) != 1 {
		t.Errorf("goroutine %s has %q, want one newfstatat", lines[0], got)
	}
	for text, n := range map[string]bool{
		`/dir/with a long name, longer than what is kept beside an event/file`: true,
		`faccessat(AT_FDCWD, \"/by number\"`:                                   true,
		`/last`:                                                                true,
		`/untraced`:                                                            false,
		`"interrupt console (virt`:                                             true,
		`"idle"`:                                                               true,
	} {
		if strings.Contains(string(data), text) != n {
			t.Errorf("%s: in the trace %t, want %t", text, !n, n)
		}
	}
	for _, want := range []string{
		// Whoever comes first to a channel waits, and the other one wakes it.
		`"goroutine (1 \(woken by goroutine ` + lines[0] + `|` + lines[0] + ` \(woken by goroutine 1) `,
		`"goroutine 1 \(woken by a timer or the runtime `,
		`"result":"= sleep `,
		`"result":"= ended `,
		`"name":"wake goroutine 1","ph":"i"`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in the trace", want)
		}
	}
	for thread, spans := range threads {
		cpu, ok := strings.CutPrefix(thread, "2 ")
		if running := slices.ContainsFunc(spans, func(s tracetest.Span) bool { return s.Name == "goroutine 1" }); ok && cpu >= cpus || cpus == "1" && cpu == "0" && !running {
			t.Errorf("of %s CPUs %s runs goroutine 1: %t", cpus, cpu, running)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	checkChart(t, chart)
}

// checkChart looks for the stages of a boot in a picture.
func checkChart(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := ""
	for d := xml.NewDecoder(f); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if chars, ok := tok.(xml.CharData); ok {
			text += string(chars) + "\n"
		}
	}
	for _, stage := range []string{"traced: from the first instruction to main", "arch/amd64: clock", "runtime: heap, scheduler", "drivers: MMIO", "fs: mounts", "init functions of the program"} {
		if !strings.Contains(text, stage) {
			t.Errorf("no %q in the boot chart:\n%s", stage, text)
		}
	}
}

// TestTraceOptions: what is wrong is said before anything is built.
func TestTraceOptions(t *testing.T) {
	for _, tt := range []struct {
		flags traceFlags
		want  string
	}{
		{traceFlags{file: "/nowhere/x"}, "/nowhere/x"},
		{traceFlags{file: "x", filter: "calls"}, "--trace-filter"},
		{traceFlags{filter: "call"}, "--trace FILE"},
	} {
		tt.flags.format.Value = byName
		if _, err := tt.flags.open(&qemu.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.flags, err)
		}
	}
	var none traceFlags
	if f, err := none.open(&qemu.Options{}); f != nil || err != nil {
		t.Errorf("without --trace: %v, %v", f, err)
	}
	name := filepath.Join(t.TempDir(), "x.jsonl")
	flags := traceFlags{file: name, filter: "irq,path=/x"}
	flags.format.Value = byName
	var o qemu.Options
	f, err := flags.open(&o)
	if err != nil || o.Events == nil || o.Kinds != "call,fuse,irq" {
		t.Fatalf("%v, %+v", err, o)
	}
	if err := f.close(io.Discard); err != nil {
		t.Error(err)
	}
}
