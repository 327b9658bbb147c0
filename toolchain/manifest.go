package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// manifestName is the file that makes a distribution trusted: the key, then
// a line "size mtime path" for each file, then the word end.
const manifestName = "yolk-manifest"

func writeManifest(root, key string) error {
	var buf bytes.Buffer
	fmt.Fprintln(&buf, key)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == filepath.Join(root, manifestName) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&buf, "%d %d %s\n", info.Size(), info.ModTime().UnixNano(), name[len(root)+1:])
		return nil
	})
	if err != nil {
		return err
	}
	buf.WriteString("end\n")
	return writeNew(filepath.Join(root, manifestName), buf.Bytes(), 0o644)
}

// checkManifest reports how the distribution in root differs from its
// manifest, by the sizes and times of its files. An error that is
// os.ErrNotExist means that there is no distribution at all.
func checkManifest(root, key string) error {
	if _, err := os.Lstat(root); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(root, manifestName))
	if err != nil {
		return fmt.Errorf("%s is damaged (no manifest)", root)
	}
	lines := strings.Split(string(data), "\n")
	if n := len(lines); n < 3 || lines[0] != key || lines[n-2] != "end" || lines[n-1] != "" {
		return fmt.Errorf("%s is damaged (manifest cut short)", root)
	}
	for _, line := range lines[1 : len(lines)-2] {
		if err := checkEntry(root, line); err != nil {
			return fmt.Errorf("%s is damaged (%w)", root, err)
		}
	}
	return nil
}

func checkEntry(root, line string) error {
	size, rest, _ := strings.Cut(line, " ")
	mtime, name, ok := strings.Cut(rest, " ")
	if !ok {
		return errors.New("manifest unreadable")
	}
	info, err := os.Lstat(root + "/" + name)
	if err != nil {
		// Not wrapped: a missing file is damage, not a missing toolchain.
		return fmt.Errorf("%s is missing", name)
	}
	if strconv.FormatInt(info.Size(), 10) != size || strconv.FormatInt(info.ModTime().UnixNano(), 10) != mtime {
		return fmt.Errorf("%s has changed", name)
	}
	return nil
}
