package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// entry is what is compared of a file.
type entry struct {
	Mode   fs.FileMode
	Size   int64  // bytes, of a regular file
	Sum    string // of a regular file's contents
	Text   string // the contents, where they are text and short
	Target string // of a symbolic link
}

// shortText is the length up to which texts are kept, in bytes.
const shortText = 16 << 10

// snapshot describes a directory, by paths below it.
func snapshot(dir string) (map[string]entry, error) {
	tree := map[string]entry{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := entry{Mode: info.Mode()}
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			e.Size, e.Sum = info.Size(), sum(data)
			if len(data) <= shortText && utf8.Valid(data) && !strings.ContainsRune(string(data), 0) {
				e.Text = string(data)
			}
		case info.Mode()&fs.ModeSymlink != 0:
			if e.Target, err = os.Readlink(name); err != nil {
				return err
			}
		}
		rel, err := filepath.Rel(dir, name)
		tree[rel] = e
		return err
	})
	return tree, err
}

// lay writes a program's files into a directory, which is emptied before.
func lay(dir string, files []file) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if !filepath.IsLocal(f.name) {
			return fmt.Errorf("%s: a file outside the directory", f.name)
		}
		name := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// matchesAny matches a path, or a directory above it, with patterns.
func matchesAny(patterns []string, name string) bool {
	for ; name != "."; name = path.Dir(name) {
		for _, p := range patterns {
			if ok, _ := path.Match(p, name); ok {
				return true
			}
		}
	}
	return false
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:8])
}
