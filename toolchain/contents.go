package toolchain

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// engine counts the changes to this package that make older results unfit.
const engine = 1

//go:embed all:_files
var embedded embed.FS

// contents is what the project adds to a stock Go: new files and edits.
type contents struct {
	files fs.FS // laid over GOROOT
	edits []Edit
}

// tables holds the edit tables of the edits_*.go files.
var tables [][]Edit

// builtin returns the contents that this package carries.
func builtin() *contents {
	files, err := fs.Sub(embedded, "_files")
	if err != nil {
		panic(err) // the name is a constant that embed has checked
	}
	return &contents{files: files, edits: slices.Concat(tables...)}
}

// hash returns the hex digest of the contents.
func (c *contents) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "engine %d\n", engine)
	// A walk over an embed.FS or os.DirFS is in lexical order.
	fs.WalkDir(c.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(c.files, name)
		fmt.Fprintf(h, "file %q %x %v\n", name, sha256.Sum256(data), err)
		return nil
	})
	for _, e := range c.edits {
		fmt.Fprintf(h, "edit %T %+q\n", e, e)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// version names the toolchain made from a stock Go. The go command takes a
// tool's version for its identity in the build cache, so it must differ from
// the stock's and between contents.
func (c *contents) version(s *stock) string {
	return s.Version + "-yolk." + c.hash()[:12]
}

// key names the directory of the toolchain in the cache.
func (c *contents) key(s *stock) string {
	return c.version(s) + "." + s.Host
}

// render returns every file that differs from the stock Go, by its
// slash-separated path below GOROOT.
func (c *contents) render(s *stock, name string) (map[string][]byte, error) {
	out := map[string][]byte{}
	ours := map[string]bool{}
	err := fs.WalkDir(c.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		if _, err := os.Lstat(filepath.Join(s.Root, name)); err == nil {
			return fmt.Errorf("%s: %s has a file of that name already; edit it instead", name, s.Version)
		}
		ours[name] = true
		out[name], err = fs.ReadFile(c.files, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range append(c.edits, versionEdits(s, name)...) {
		switch limited := e.(type) {
		case Since:
			if version.Compare(s.Version, limited.Release) < 0 {
				continue
			}
			e = limited.Edit
		case Before:
			if version.Compare(s.Version, limited.Release) >= 0 {
				continue
			}
			e = limited.Edit
		}
		name := e.path()
		if ours[name] {
			return nil, fmt.Errorf("%s: the file is ours, change it there (edit: %s)", name, e.why())
		}
		src, ok := out[name]
		if !ok {
			from := name
			if take, ok := e.(Take); ok {
				from = take.File
			}
			if src, err = os.ReadFile(filepath.Join(s.Root, from)); err != nil {
				return nil, fmt.Errorf("%w (edit: %s)", err, e.why())
			}
		}
		if out[name], err = e.apply(src); err != nil {
			return nil, fmt.Errorf("%s of %s: %w (edit: %s)", name, s.Version, err, e.why())
		}
	}
	return out, nil
}

// versionEdits give the distribution its own version: VERSION is what people
// and scripts read, zbootstrap.go what the tools report.
func versionEdits(s *stock, version string) []Edit {
	const why = "the tools need an identity of their own in the build cache"
	return []Edit{
		Replace{File: "VERSION", Old: s.Version + "\n", New: version + "\n", Why: why},
		Replace{
			File: "src/internal/buildcfg/zbootstrap.go",
			Old:  "const version = `" + s.Version + "`", New: "const version = `" + version + "`", Why: why,
		},
	}
}
