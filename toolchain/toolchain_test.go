package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yolkos/yolk/toolchain/usercache"
)

func mustEnsure(t *testing.T, s *stock, base string) (*Toolchain, string) {
	t.Helper()
	var progress bytes.Buffer
	tc, err := ensure(context.Background(), s, fakeContents(), usercache.At(base, "the toolchain"), &progress)
	if err != nil {
		t.Fatal(err)
	}
	return tc, progress.String()
}

func TestEnsure(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	tc, progress := mustEnsure(t, s, base)
	if !strings.Contains(progress, "building go, compile, asm, link") {
		t.Errorf("progress %q", progress)
	}
	for name, want := range map[string]string{
		"VERSION":                             tc.Version + "\ntime 2026-01-01\n",
		"src/internal/buildcfg/zbootstrap.go": "package buildcfg\n\nconst version = `" + tc.Version + "`\n",
		"src/os/file.go":                      "//go:build unix || tamago\n\npackage os\n",
		"src/os/file_tamago.go":               "package os\n",
		"src/os/testdata/hello":               "hello\n",
		"pkg/tool/linux_amd64/vet":            "vet",
		"pkg/tool/linux_amd64/compile":        fakeGo,
		"go.env":                              "GOTOOLCHAIN=auto\n",
	} {
		if got := read(t, filepath.Join(tc.Root, name)); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"VERSION":                      "go1.26.8\ntime 2026-01-01\n",
		"src/os/file.go":               "//go:build unix\n\npackage os\n",
		"pkg/tool/linux_amd64/compile": "old",
	} {
		if got := read(t, filepath.Join(s.Root, name)); got != want {
			t.Errorf("the stock's %s is now %q", name, got)
		}
	}
	if _, progress := mustEnsure(t, s, base); progress != "" {
		t.Errorf("second run says %q", progress)
	}
	if n := strings.Count(read(t, os.Getenv("FAKE_LOG")), "cmd/compile"); n != 1 {
		t.Errorf("%d builds", n)
	}
}

func TestDamage(t *testing.T) {
	for name, damage := range map[string]func(root string) error{
		"is missing":         func(root string) error { return os.Remove(root + "/src/os/other.go") },
		"has changed":        func(root string) error { return os.Truncate(root+"/bin/go", 0) },
		"no manifest":        func(root string) error { return os.Remove(root + "/" + manifestName) },
		"manifest cut short": func(root string) error { return os.Truncate(root+"/"+manifestName, 200) },
	} {
		t.Run(name, func(t *testing.T) {
			s, base := fakeStock(t), t.TempDir()
			tc, _ := mustEnsure(t, s, base)
			if err := damage(tc.Root); err != nil {
				t.Fatal(err)
			}
			_, progress := mustEnsure(t, s, base)
			if !strings.Contains(progress, name) || !strings.Contains(progress, "building it again") {
				t.Errorf("progress %q", progress)
			}
			if _, progress := mustEnsure(t, s, base); progress != "" {
				t.Errorf("after the repair: %q", progress)
			}
		})
	}
}

func TestShared(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	t.Setenv("FAKE_DO", "sleep 0.2")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = ensure(context.Background(), s, fakeContents(), usercache.At(base, "the toolchain"), new(bytes.Buffer))
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(read(t, os.Getenv("FAKE_LOG")), "cmd/compile"); n != 1 {
		t.Errorf("%d builds, want one that all share", n)
	}
}

// The first of several that share a build fails, and removes the lock's file: one
// of the others builds, and they share that.
func TestSharedFailure(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	t.Setenv("FAKE_DO", "sleep 0.1; mkdir "+filepath.Join(t.TempDir(), "first")+" 2>/dev/null && exit 1")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = ensure(context.Background(), s, fakeContents(), usercache.At(base, "the toolchain"), new(bytes.Buffer))
		})
	}
	wg.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	if n := strings.Count(read(t, os.Getenv("FAKE_LOG")), "cmd/compile"); n != 2 || failed != 1 {
		t.Errorf("%d builds and %d failures, want 2 and 1: %v", n, failed, errs)
	}
}

// TestWait has one call wait for a lock that is not given up.
func TestWait(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	c := fakeContents()
	unlock, err := lock(context.Background(), filepath.Join(base, c.key(s)+".lock"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(context.Background())
	says := writerFunc(func(p []byte) { cancel() })
	if _, err := ensure(ctx, s, c, usercache.At(base, "the toolchain"), says); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestFailures(t *testing.T) {
	for _, tt := range []struct{ name, do, want string }{
		{"compile error", "echo bad code; exit 1", "bad code"},
		{"full disk", "echo write x: no space left on device; exit 1", "the disk is full"},
		{"killed", "kill -9 $$", "signal: killed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, base := fakeStock(t), t.TempDir()
			t.Setenv("FAKE_DO", tt.do)
			_, err := ensure(context.Background(), s, fakeContents(), usercache.At(base, "the toolchain"), new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			left, _ := filepath.Glob(base + "/*.tmp")
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			t.Setenv("FAKE_DO", "")
			mustEnsure(t, s, base)
		})
	}
}

func TestStopped(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	ready := filepath.Join(t.TempDir(), "ready")
	t.Setenv("FAKE_DO", "mkfifo "+ready+".never; echo x >"+ready+"; cat "+ready+".never")
	ctx, cancel := context.WithCancelCause(context.Background())
	if err := fifo(ready); err != nil {
		t.Fatal(err)
	}
	reason := errors.New("the reason")
	go func() {
		os.ReadFile(ready) // returns when the build is under way
		cancel(reason)
	}()
	_, err := ensure(ctx, s, fakeContents(), usercache.At(base, "the toolchain"), new(bytes.Buffer))
	if !errors.Is(err, reason) || !strings.Contains(err.Error(), "the next run starts again") {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(base); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Setenv("FAKE_DO", "")
	mustEnsure(t, s, base)
}

// TestLeftover has a run that was killed leave its directory.
func TestLeftover(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	write(t, filepath.Join(base, fakeContents().key(s)+".tmp", "src/os/file.go"), "half", 0o644)
	tc, _ := mustEnsure(t, s, base)
	if got := read(t, tc.Root+"/src/os/file.go"); got == "half" {
		t.Error("the half-made file was taken over")
	}
}

func TestPrune(t *testing.T) {
	s, base := fakeStock(t), t.TempDir()
	old, _ := mustEnsure(t, s, base)
	long := time.Now().Add(-keep - time.Hour)
	if err := os.Chtimes(old.Root+".lock", long, long); err != nil {
		t.Fatal(err)
	}
	if _, progress := mustEnsure(t, s, base); progress != "" { // a use
		t.Error(progress)
	}
	build := func(why string) *Toolchain {
		c := fakeContents()
		c.edits[0] = Widen{File: "src/os/file.go", Why: why}
		tc, err := ensure(context.Background(), s, c, usercache.At(base, "the toolchain"), new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		return tc
	}
	build("another")
	if _, err := os.Stat(old.Root); err != nil {
		t.Errorf("one in use was removed: %v", err)
	}
	if err := os.Chtimes(old.Root+".lock", long, long); err != nil {
		t.Fatal(err)
	}
	build("a third")
	if left, _ := filepath.Glob(old.Root + "*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStrict(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    *contents
		want string
	}{
		{"no such file", &contents{files: fstest.MapFS{}, edits: []Edit{Widen{File: "src/os/gone.go", Why: "reason"}}}, "src/os/gone.go: no such file"},
		{"no match", &contents{files: fstest.MapFS{}, edits: []Edit{Replace{File: "src/os/file.go", Old: "absent", Why: "reason"}}}, "src/os/file.go of go1.26.8"},
		{"reason", &contents{files: fstest.MapFS{}, edits: []Edit{Replace{File: "src/os/file.go", Old: "absent", Why: "reason"}}}, "reason"},
		{"stock has the file", &contents{files: fstest.MapFS{"src/os/file.go": {}}}, "has a file of that name already"},
		{"own file edited", &contents{files: fstest.MapFS{"src/os/a.go": {}}, edits: []Edit{Widen{File: "src/os/a.go"}}}, "the file is ours"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ensure(context.Background(), fakeStock(t), tt.c, usercache.At(t.TempDir(), "the toolchain"), new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestKeyFollowsContents(t *testing.T) {
	s, c := fakeStock(t), fakeContents()
	seen := map[string]bool{c.key(s): true}
	for i, change := range []func(){
		func() { c.edits[0] = Widen{File: "src/os/file.go", Why: "another reason"} },
		func() { c.edits[0] = Narrow{File: "src/os/file.go", Why: "another reason"} },
		func() { c.files = fstest.MapFS{"src/os/file_tamago.go": {Data: []byte("package os // 2\n")}} },
		func() { s.Version = "go1.26.9" },
		func() { s.Host = "linux_arm64" },
	} {
		change()
		if key := c.key(s); seen[key] {
			t.Errorf("change %d keeps key %s", i, key)
		} else {
			seen[key] = true
		}
	}
}

func TestInto(t *testing.T) {
	s, dir := fakeStock(t), filepath.Join(t.TempDir(), "go")
	b := &build{stock: s, contents: fakeContents(), version: "go1.26.8-yolk.devel", progress: new(bytes.Buffer)}
	builds := func() int { return strings.Count(read(t, os.Getenv("FAKE_LOG")), "cmd/compile") }
	if err := b.into(context.Background(), dir, false); err != nil {
		t.Fatal(err)
	}
	if builds() != 1 {
		t.Errorf("%d builds at first", builds())
	}
	b.contents = &contents{
		files: fstest.MapFS{"src/os/new.go": {Data: []byte("package os\n")}},
		edits: []Edit{Narrow{File: "src/os/other.go"}},
	}
	if err := b.into(context.Background(), dir, false); err != nil {
		t.Fatal(err)
	}
	if builds() != 1 {
		t.Errorf("%d builds without tools asked for", builds())
	}
	t.Setenv("FAKE_DO", `cmp "${3%yolk-new/}tool/linux_amd64/link" "${0%bin/go}pkg/tool/linux_amd64/link" || exit 1`)
	if err := b.into(context.Background(), dir, true); err != nil {
		t.Errorf("not rebuilt with the stock's own tools: %v", err)
	}
	got := fmt.Sprintf("%q %q", read(t, dir+"/src/os/file.go"), read(t, dir+"/src/os/other.go"))
	if want := `"//go:build unix\n\npackage os\n" "//go:build !tamago\n\npackage os\n"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := os.Stat(dir + "/src/os/file_tamago.go"); !os.IsNotExist(err) {
		t.Errorf("a file that is laid no more is still there: %v", err)
	}
	if err := b.into(context.Background(), t.TempDir()+"/..", false); err == nil {
		t.Error("overwrites a directory that it did not make")
	}
}
