package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goCommand is the stock go command of the version that the toolchain was made
// from, for Linux without C.
func (r *runner) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+r.goVersion, "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	return cmd
}

// output runs a command, whose error is what it said on standard error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if text := bytes.TrimSpace(stderr.Bytes()); err != nil && len(text) > 0 {
		err = fmt.Errorf("%s (%w)", text, err)
	}
	return stdout.Bytes(), err
}

// module makes a module that has the program's as its requirement, in the
// versions of its own go.mod, and returns its directory.
func (r *runner) module(ctx context.Context, p *program) (dir string, err error) {
	source := slices.DeleteFunc(slices.Clone(p.files), func(f file) bool { return !isSource(f) })
	for i := range source {
		source[i].name = strings.TrimPrefix(source[i].name, sourceDir)
	}
	id := fmt.Sprint(p.modules, p.pkg, r.goVersion)
	for _, f := range source {
		id += f.name + "\n" + string(f.data)
	}
	dir = filepath.Join(r.dir, "modules", p.name+"-"+sum([]byte(id)))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	tmp := dir + ".new"
	source = append(source, file{"go.mod", []byte("module compatibility.test/" + p.name + "\n\ngo " + strings.TrimPrefix(r.goVersion, "go") + "\n")})
	if err := lay(tmp, source); err != nil {
		return "", err
	}
	// go mod tidy would fetch what only the tests of others need.
	commands := [][]string{append([]string{"get"}, p.modules...)}
	if p.own() {
		commands = append(commands, []string{"get", "."})
	} else {
		_, version, _ := strings.Cut(p.modules[0], "@")
		commands = append(commands, []string{"get", "-tool", p.pkg + "@" + version})
	}
	for _, args := range commands {
		if _, err := output(r.goCommand(ctx, tmp, args...)); err != nil {
			return "", err
		}
	}
	return dir, os.Rename(tmp, dir)
}

// sourceDir holds our own main package among a program's files.
const sourceDir = "src/"

func isSource(f file) bool { return strings.HasPrefix(f.name, sourceDir) }

// copyModule makes a copy of a module's directory that can be written to.
func (r *runner) copyModule(ctx context.Context, module, to string) error {
	out, err := output(r.goCommand(ctx, r.dir, "mod", "download", "-json", module))
	if err != nil {
		return err
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil {
		return fmt.Errorf("go mod download %s: %w", module, err)
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(found.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(found.Dir, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, info.Mode()|0o200)
	})
}
