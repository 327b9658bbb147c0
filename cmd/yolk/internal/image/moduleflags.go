package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// moduleFlags are the flags of the go command that say which modules and files a program is
// made of. What is built with the kernel is built in a workspace, with an overlay, where the
// go command takes the first two not at all and one overlay alone: they are done here.
//
//   - -mod=mod has the user's go.mod and go.sum brought up to date before, by the go command,
//     and vendor directories left alone; -mod=vendor wants one.
//   - -modfile is an overlay of go.mod and go.sum.
//   - -overlay is merged with Yolk's own.
//
// Those of the command line count more than those of $GOFLAGS. All other flags of $GOFLAGS
// the go command takes from there.
type moduleFlags struct {
	mod, modfile, overlay string // the latter are absolute names
}

// takeModuleFlags takes them out of a list of flags. Names of files are relative to the
// working directory.
func takeModuleFlags(flags []string) (m moduleFlags, rest []string, err error) {
	rest = flags
	for _, f := range []struct {
		name   string
		to     *string
		isFile bool
	}{{"mod", &m.mod, false}, {"modfile", &m.modfile, true}, {"overlay", &m.overlay, true}} {
		*f.to = lastFlag(rest, f.name)
		_, rest = takeFlag(rest, f.name)
		if f.isFile && *f.to != "" {
			if *f.to, err = filepath.Abs(*f.to); err != nil {
				return m, nil, err
			}
		}
	}
	if m.mod != "" && !slices.Contains([]string{"mod", "readonly", "vendor"}, m.mod) {
		return m, nil, fmt.Errorf("-mod=%s: want mod, readonly or vendor", m.mod)
	}
	return m, rest, nil
}

// or fills in from others what m does not say.
func (m moduleFlags) or(others moduleFlags) moduleFlags {
	for _, f := range []struct{ to, from *string }{{&m.mod, &others.mod}, {&m.modfile, &others.modfile}, {&m.overlay, &others.overlay}} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	return m
}

// list are the flags for a go command in the user's own module.
func (m moduleFlags) list() (flags []string) {
	for _, f := range []struct{ name, value string }{{"mod", m.mod}, {"modfile", m.modfile}} {
		if f.value != "" {
			flags = append(flags, "-"+f.name+"="+f.value)
		}
	}
	return flags
}

// readOverlay reads the file of an overlay. A relative name in it is relative to the working
// directory; an empty one says that there is no such file.
func readOverlay(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-overlay: %w", err)
	}
	var o struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("-overlay: %s: %w", file, err)
	}
	all := map[string]string{}
	for name, with := range o.Replace {
		if name, err = filepath.Abs(name); err == nil && with != "" {
			with, err = filepath.Abs(with)
		}
		if err != nil {
			return nil, err
		}
		all[name] = with
	}
	return all, nil
}

// replaceMod has an overlay put another go.mod, and its go.sum, in the place of those in root.
func (m moduleFlags) replaceMod(overlay map[string]string, root string) error {
	if filepath.Ext(m.modfile) != ".mod" {
		return fmt.Errorf("-modfile=%s: want a file whose name ends in .mod", m.modfile)
	}
	if _, err := os.Stat(m.modfile); err != nil {
		return fmt.Errorf("-modfile: %w", err)
	}
	sum := strings.TrimSuffix(m.modfile, ".mod") + ".sum"
	if _, err := os.Stat(sum); errors.Is(err, fs.ErrNotExist) {
		sum = ""
	}
	overlay[filepath.Join(root, "go.mod")] = m.modfile
	overlay[filepath.Join(root, "go.sum")] = sum
	return nil
}

// upToDate has the go command bring the user's go.mod and go.sum up to date, for what it lists
// by args. For the target's own standard library the kernel would have to be there.
func (b *Builder) upToDate(ctx context.Context, dir string, m moduleFlags, goflags, args []string) error {
	_, err := b.goCommand(ctx, dir, append(setFlags(goflags), "GOOS=linux", "GOOSPKG="), slices.Concat([]string{"list", "-deps", "-f", "-"}, m.list(), args)...)
	return err
}

// writeOverlay writes an overlay for a go command, and returns the flag.
func (b *Builder) writeOverlay(name string, replace map[string]string) (flag string, err error) {
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name = filepath.Join(b.Scratch, name)
	return "-overlay=" + name, os.WriteFile(name, data, 0o600)
}

// source is the file that the go command reads for a name, "" if there is none.
func (ws *workspace) source(name string) string {
	if with, ok := ws.overlay[name]; ok {
		return with
	}
	return name
}

// setFlags sets $GOFLAGS. It must not be empty: then the go command would take what go env -w
// has written down.
func setFlags(flags []string) (env []string) {
	if len(flags) == 0 {
		return noFlags
	}
	return []string{"GOFLAGS=" + joinFlags(flags)}
}

// noFlags is a setting that changes nothing.
var noFlags = []string{"GOFLAGS=-tags="}

// goflags are the user's $GOFLAGS.
func (b *Builder) goflags(ctx context.Context, dir string) (m moduleFlags, plain []string, err error) {
	text := os.Getenv("GOFLAGS")
	if text == "" {
		var own struct{ GOFLAGS string }
		if err := b.goJSON(ctx, &own, dir, nil, "env", "-json", "GOFLAGS"); err != nil {
			return m, nil, err
		}
		text = own.GOFLAGS
	}
	if m, plain, err = takeModuleFlags(splitFlags(text)); err == nil {
		plain, err = plainFlags(plain)
	}
	if err != nil {
		return m, nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	return m, plain, nil
}

// plainFlags are those of $GOFLAGS that go commands may take from there as they are: without
// those that Yolk takes itself, with names of files that hold in any directory. An image is
// an executable of its own kind, whatever is usual here.
func plainFlags(goflags []string) ([]string, error) {
	var plain []string
	for _, f := range goflags {
		name, value, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
		switch {
		case name == "buildmode" && slices.Contains([]string{"pie", "exe", "default"}, value), name == "json":
			continue
		case name == "n" && value != "false":
			return nil, errors.New("-n: nothing is built with it; yolk's own -v shows the commands")
		case name == "pgo" && value != "auto" && value != "off" && value != "":
			file, err := filepath.Abs(value)
			if err != nil {
				return nil, err
			}
			f = "-pgo=" + file
		}
		plain = append(plain, f)
	}
	return plain, nil
}
