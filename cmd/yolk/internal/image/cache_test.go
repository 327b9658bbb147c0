package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// imageOf builds the image of the program in dir as yolk run does, runs it, and
// returns the file and what it printed.
func imageOf(t *testing.T, base *Builder, dir, kept string, flags ...string) (os.FileInfo, string) {
	b := *base
	var err error
	if b.Scratch, err = os.MkdirTemp(filepath.Dir(kept), "run-"); err != nil {
		t.Error(err)
		return nil, ""
	}
	p, err := b.Program(context.Background(), []string{dir}, flags...)
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	f, err := p.Image(context.Background(), kept)
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	cmd := exec.Command(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	return info, string(out)
}

// An image that is up to date is taken as it is; one that is not, never.
func TestKeptImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	b, dir := hosted(t), t.TempDir()
	kept := filepath.Join(t.TempDir(), "kept")
	const source = "package main\n\nvar what string\n\nfunc main() { println(\"one\", what) }\n"
	layOut(t, dir, map[string]string{"go.mod": "module example.com/prog\n\ngo 1.24\n", "main.go": source})
	first, out := imageOf(t, b, dir, kept)
	if out != "kernel\none \n" {
		t.Fatalf("printed %q", out)
	}
	if again, out := imageOf(t, b, dir, kept); !os.SameFile(first, again) || out != "kernel\none \n" {
		t.Errorf("built again, though nothing has changed; printed %q", out)
	}
	// As many bytes, and a time of before.
	info, err := os.Stat(dir + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	layOut(t, dir, map[string]string{"main.go": strings.Replace(source, "one", "two", 1)})
	if err := os.Chtimes(dir+"/main.go", info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, out := imageOf(t, b, dir, kept); out != "kernel\ntwo \n" {
		t.Errorf("after a change of the source: printed %q", out)
	}
	if _, out := imageOf(t, b, dir, kept, "-ldflags=-X main.what=x"); out != "kernel\ntwo x\n" {
		t.Errorf("with flags: printed %q", out)
	}
	if _, out := imageOf(t, b, dir, kept); out != "kernel\ntwo \n" {
		t.Errorf("without flags again: printed %q", out)
	}
	// Another yolk has another kernel.
	layOut(t, b.Guest, map[string]string{"kernel/kernel.go": "package kernel\n\nimport _ \"github.com/usbarmory/tamago/bits\"\n\nfunc init() { println(\"kernel 2\") }\n"})
	if _, out := imageOf(t, b, dir, kept); out != "kernel 2\ntwo \n" {
		t.Errorf("with another kernel: printed %q", out)
	}
	// What was cut short is not taken, nor what is no program at all.
	images, err := filepath.Glob(kept + "/*")
	if err != nil || len(images) != 2 { // with and without flags
		t.Fatalf("kept: %v, %v", images, err)
	}
	for _, damage := range []func(string) error{
		func(name string) error { return os.Truncate(name, 100_000) },
		func(name string) error { return os.WriteFile(name, nil, 0o755) },
		os.Remove,
	} {
		for _, name := range images {
			if err := damage(name); err != nil {
				t.Fatal(err)
			}
		}
		if _, out := imageOf(t, b, dir, kept); out != "kernel 2\ntwo \n" {
			t.Errorf("with a damaged image: printed %q", out)
		}
		if images, err = filepath.Glob(kept + "/*"); err != nil {
			t.Fatal(err)
		}
	}
}

// Runs beside each other, while the source changes, get an image that is
// what the source was at some time of the build.
func TestKeptImageConcurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	b, dir := hosted(t), t.TempDir()
	kept := filepath.Join(t.TempDir(), "kept")
	write := func(i int) {
		tmp := filepath.Join(t.TempDir(), "main.go")
		layOut(t, filepath.Dir(tmp), map[string]string{"main.go": fmt.Sprintf("package main\n\nfunc main() { println(\"program\", %d) }\n", i)})
		if err := os.Rename(tmp, dir+"/main.go"); err != nil {
			t.Error(err)
		}
	}
	layOut(t, dir, map[string]string{"go.mod": "module example.com/prog\n\ngo 1.24\n"})
	write(0)
	var now atomic.Int64 // what the source is, or was before the change under way
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 3 {
				if i == 0 {
					write(int(now.Load()) + 1)
					now.Add(1)
				}
				from := now.Load()
				_, out := imageOf(t, b, dir, kept)
				var got int64
				_, err := fmt.Sscanf(out, "kernel\nprogram %d\n", &got)
				if to := now.Load() + 1; err != nil || got < from || got > to {
					t.Errorf("printed %q, want a number from %d to %d", out, from, to)
				}
			}
		})
	}
	wg.Wait()
}

func TestTrim(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"new", "older", "oldest", "ancient"} {
		layOut(t, dir, map[string]string{name: strings.Repeat("x", 10)})
		at := time.Now().Add(-time.Duration(i) * time.Hour)
		if name == "ancient" {
			at = time.Now().Add(-2 * keptTime)
		}
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	trim(dir, 25)
	left, err := filepath.Glob(dir + "/*")
	if err != nil || strings.Join(left, " ") != dir+"/new "+dir+"/older" {
		t.Errorf("left: %v, %v", left, err)
	}
	trim(dir, 5)
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPackageLines(t *testing.T) {
	var pkgs []string
	b := &Builder{Compiling: func(pkg string) { pkgs = append(pkgs, pkg) }}
	p := newPackageLines(b.Compiling)
	for _, piece := range []string{"fm", "t\nnet/http\n# m\n./a.go:1:2: un", "defined: x\n\tmore\n", "example.com/x.y/v2\nlast"} {
		if _, err := p.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	p.flush()
	if got := strings.Join(pkgs, " "); got != "fmt net/http example.com/x.y/v2" {
		t.Errorf("packages %q", got)
	}
	if got := p.rest.String(); got != "# m\n./a.go:1:2: undefined: x\n\tmore\nlast" {
		t.Errorf("the rest is %q", got)
	}
}
