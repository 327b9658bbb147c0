package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// tour is what the steps of the guided tour work on.
type tour struct {
	*process
	root string // where the sample directory is: "/"
	tmp  string // a directory to write in: "/tmp"
}

// step is a stop of the tour. It prints what it finds and returns an error if
// that is not as it should be.
type step struct {
	title string
	about string
	run   func(t *tour) error
}

var steps = []step{
	{"Memory and processor", "The kernel has found them before main began.", (*tour).memory},
	{"Devices", "Drivers found these on the PCI buses, or at fixed addresses (MMIO).", (*tour).devices},
	{"Mount table", "The root is a directory of the host, shared over virtio-fs; tmp, proc and dev\nare the kernel's own and hide what the host has there.", (*tour).mountTable},
	{"Reading a file", "os.ReadFile, and its SHA-256 against the one in MANIFEST.sha256.", (*tour).readFile},
	{"The whole tree", "filepath.WalkDir, with every file compared with the manifest.", (*tour).walk},
	{"Symbolic links", "The guest follows them itself, one component at a time, within its own root.", (*tour).links},
	{"No way out", "Neither .. nor a link leads above the root.", (*tour).noWayOut},
	{"A web server", "http.FileServer over http.Dir, and http.Get to ask it, in one program.", (*tour).serve},
	{"Writing to tmpfs", "A file is made, read back, renamed and removed.", (*tour).writing},
	{"Errors", "They are those of the standard library, so errors.Is knows them.", (*tour).failures},
	{"The clock", "Sleeping 100 ms, with the CPU halted until the timer's interrupt.", (*tour).clock},
	{"Goroutines", "Channels, timers, a loop that never yields, and the garbage collector.", (*tour).goroutines},
	{"Panics", "Faults of the processor become panics, and recover stops them.", (*tour).panics},
	{"The kernel's log", "The last lines of /proc/kmsg, which dmesg prints.", (*tour).log},
}

var errTour = errors.New("the tour found errors")

func runTour(p *process, args []string) error {
	if len(args) > 0 {
		return usageError("no arguments")
	}
	t := &tour{process: p, root: "/", tmp: "/tmp"}
	return t.walkThrough(steps)
}

func (t *tour) walkThrough(steps []step) error {
	p, start, failed := t.process, time.Now(), 0
	p.printf("A tour of this machine, by a Go program on %s/%s, %s.\n", runtime.GOOS, runtime.GOARCH, runtime.Version())
	for i, st := range steps {
		if err := p.interrupted(); err != nil {
			return err
		}
		p.printf("\n%2d. %s\n", i+1, st.title)
		for line := range strings.Lines(st.about + "\n") {
			p.printf("    %s", line)
		}
		c := *p
		c.out = &indenter{w: p.out, prefix: "    | "}
		t.process = &c
		began := time.Now()
		err := st.guarded(t)
		took := time.Since(began).Round(10 * time.Microsecond)
		if err != nil {
			failed++
			p.printf("    FAILED: %v\n", err)
			continue
		}
		p.printf("    ok, %v\n", took)
	}
	p.printf("\n%d of %d steps ok, %v\n", len(steps)-failed, len(steps), time.Since(start).Round(time.Millisecond))
	if failed > 0 {
		return errTour
	}
	return nil
}

// guarded runs a step; a panic fails it.
func (st step) guarded(t *tour) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return st.run(t)
}

// indenter writes a prefix in front of each line.
type indenter struct {
	w      io.Writer
	prefix string
	within bool // a line has begun
}

func (i *indenter) Write(p []byte) (int, error) {
	var out []byte
	for line := range bytes.Lines(p) {
		if !i.within {
			out = append(out, i.prefix...)
		}
		out = append(out, line...)
		i.within = line[len(line)-1] != '\n'
	}
	if _, err := i.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lines prints up to n lines of a text, the last ones if n is negative.
func (t *tour) lines(text []byte, n int) {
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if n < 0 {
		all = all[max(0, len(all)+n):]
	}
	for i, line := range all {
		if n >= 0 && i == n {
			t.printf("... and %d more lines\n", len(all)-n)
			break
		}
		t.printf("%s\n", line)
	}
}
