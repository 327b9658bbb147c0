package image

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk"
	"github.com/yolkos/yolk/toolchain/usercache"
)

const tamagoPath = "github.com/usbarmory/tamago"

// The version of tamago and the go line of the kernel's module are those of
// this program's own go.mod.
var (
	tamagoVersion = wordAfter(yolk.GoMod, tamagoPath+" ")
	guestGo       = wordAfter(yolk.GoMod, "\ngo ")
)

func wordAfter(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	word, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(word)
}

// guestFiles are the files of the kernel's module.
func guestFiles() (map[string][]byte, error) {
	files := map[string][]byte{
		"go.mod": fmt.Appendf(nil, "module %s\n\ngo %s\n\nrequire %s %s\n", modulePath, guestGo, tamagoPath, tamagoVersion),
	}
	for line := range strings.Lines(yolk.GoSum) {
		if strings.HasPrefix(line, tamagoPath+" "+tamagoVersion) {
			files["go.sum"] = append(files["go.sum"], line...)
		}
	}
	err := fs.WalkDir(yolk.Guest, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		src, err := yolk.Guest.ReadFile(name)
		if err != nil {
			return err
		}
		files[name], err = kernelFile(name, src)
		return err
	})
	files["kernel/roots/bundle_tamago.go"] = rootsFile()
	return files, err
}

// UnpackGuest writes the kernel's module, which this program carries, to the
// user's cache and returns its directory.
func UnpackGuest() (string, error) {
	place, err := usercache.Find("src", "the kernel's sources")
	if err != nil {
		return "", err
	}
	files, err := guestFiles()
	if err != nil {
		return "", err
	}
	dir, err := unpack(place.Path, files)
	return dir, place.Explain(err)
}

// unpack writes files to a directory below base that is named after them. One that is there already is checked, and replaced when it
// is damaged.
func unpack(base string, files map[string][]byte) (string, error) {
	dir := filepath.Join(base, nameOf(files))
	return dir, kept(dir, func() bool { return intact(dir, files) }, func(tmp string) error {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			dst := filepath.Join(tmp, name)
			if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(dst, files[name], 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// kept has a directory be there, whole. One that is not is filled beside its place, and put there, be it by this run or by one
// beside it.
func kept(dir string, whole func() bool, fill func(tmp string) error) error {
	if whole() {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // noted for sweep, as far as it goes
		return nil
	}
	base := filepath.Dir(dir)
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	sweep(base)
	tmp, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := fill(tmp); err != nil {
		return err
	}
	for range 2 {
		if err = os.Rename(tmp, dir); err == nil || whole() {
			return nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return err
}

// nameOf is the name of a directory that holds files, after what they hold.
func nameOf(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(files[name]))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:10])
}

// keep is how long sources stay in the cache after their last use.
const keep = 30 * 24 * time.Hour

// sweep removes what has not been used for long: sources of other versions of
// this program, and what a killed one has left.
func sweep(base string) {
	entries, _ := os.ReadDir(base) // what cannot be listed is not removed
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > keep {
			os.RemoveAll(filepath.Join(base, e.Name()))
		}
	}
}

// intact reports whether a directory holds the files as they should be.
func intact(dir string, files map[string][]byte) bool {
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}
