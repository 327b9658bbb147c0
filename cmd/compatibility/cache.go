package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// platforms are where items run, the one to compare with first.
var platforms = [3]string{"linux", "microvm", "q35"}

const onLinux = 0

// record is what an item did on one platform.
type record struct {
	Key     string                    // of all that decides what it does
	Failure string                    // why there is no result: it does not build, or did not end
	Image   int64                     // bytes that the kernel or the program has
	Steps   []outcome                 // of a program
	Tree    map[string]entry          // of a program's directory in the end
	Tests   map[string]*gotest.Result // of a suite, by package
	Seconds float64                   // of time, with what was built
	CPU     float64                   // seconds of processor time, of all processes; 0: not known
}

// outcome is what a run did.
type outcome struct {
	Stdout, Stderr string
	Status         int
}

// key tells by what the results of an item on a platform go.
func (r *runner) key(it item, platform int) string {
	version := r.goVersion
	if platform != onLinux {
		version = r.guestVersion
	}
	return sum([]byte(version + "\n" + it.source()))
}

func (r *runner) file(it item, platform int, ext string) string {
	name := strings.NewReplacer("/", "_", "@", "_").Replace(it.title())
	return filepath.Join(r.dir, "results", name+"."+platforms[platform]+ext)
}

// cached returns what an item did, if anything is known, and whether it is of
// these versions.
func (r *runner) cached(it item, platform int) (rec *record, current bool, err error) {
	text, err := os.ReadFile(r.file(it, platform, ".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	rec = &record{}
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, false, fmt.Errorf("%s: %w; remove it", r.file(it, platform, ".json"), err)
	}
	return rec, rec.Key == r.key(it, platform), nil
}

// save puts what an item did into the cache.
func (r *runner) save(it item, platform int, rec *record) error {
	rec.Key = r.key(it, platform)
	text, err := json.MarshalIndent(rec, "", "\t")
	if err != nil {
		return err
	}
	file := r.file(it, platform, ".json")
	if err := os.WriteFile(file+".new", text, 0o666); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
