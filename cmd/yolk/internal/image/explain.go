package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yolkos/yolk/toolchain"
)

// noModule says what to do about a package that is to be found by a module,
// where there is none. Packages of the standard library need none.
func noModule(dir, arg string) error {
	if !isLocal(arg) {
		if first, _, _ := strings.Cut(arg, "/"); !strings.Contains(first, ".") {
			return nil
		}
		return fmt.Errorf("%s: no go.mod here says which version to take: name one, as in %s@latest", arg, arg)
	}
	sources, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is well-formed
	if len(sources) == 0 {
		return nil // there is more missing than a go.mod
	}
	return fmt.Errorf("%s: no go.mod here or in a directory above: make one with `go mod init %s`, or name the .go files",
		dir, filepath.Base(dir))
}

// tooNew says what to do about a module for a newer Go than the toolchain's,
// whose version is empty where that is not known.
func (b *Builder) tooNew(what, version string) error {
	own := plainGo(b.Toolchain.Version)
	if own == "" || compareVersions(version, own) <= 0 {
		return nil
	}
	return &newerGo{what: what, wants: version, has: own}
}

// newerGo is the error of what asks for a newer Go than there is.
type newerGo struct {
	what, wants, has string
	why              error // there is no toolchain made from it; nil: not tried
}

func (e *newerGo) Error() string {
	has, most, since := e.has, e.has, ""
	switch {
	case errors.Is(e.why, toolchain.ErrTooNew):
		most = toolchain.Newest()
		has += " to " + most
	case e.why != nil:
		since = fmt.Sprintf(", since %v", e.why)
	}
	return fmt.Sprintf("%s wants Go %s, and Yolk builds with Go %s%s: lower its go line if it needs nothing newer (go mod edit -go=%s), or take a Yolk for that Go",
		e.what, e.wants, has, since, most)
}

// newer takes a toolchain for what err asks for, and returns nil where there is one.
// An error that asks for none is returned as it is.
func (b *Builder) newer(ctx context.Context, err error) error {
	var asks *newerGo
	if !errors.As(err, &asks) {
		return err
	}
	t, why := toolchain.Ensure(ctx, asks.wants, os.Stderr)
	if why != nil || compareVersions(plainGo(t.Version), asks.wants) < 0 { // $TAMAGO is what it is
		asks.why = why
		return err
	}
	b.Toolchain = t
	// What the older one has left in there is of no use.
	b.Scratch, err = os.MkdirTemp(b.Scratch, "go")
	return err
}

// again does what prepares a build, and once more for each newer Go that it asks for.
func again[T any](ctx context.Context, b *Builder, prepare func() (T, error)) (T, error) {
	for {
		t, err := prepare()
		if err == nil {
			return t, nil
		}
		if err := b.newer(ctx, err); err != nil {
			return t, err
		}
	}
}

// plainGo returns the 1.26.8 of go1.26.8-yolk.1f3a.
func plainGo(version string) string {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "go"), "-")
	return version
}

// requiresGo is the go command's complaint about a module for a newer Go.
var requiresGo = regexp.MustCompile(`(?:^|\s)(\S+?):? requires go >= ([0-9][0-9a-z.]*)`)

// newerIn finds the complaint in the go command's output.
func (b *Builder) newerIn(text string) error {
	m := requiresGo.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	return b.tooNew(m[1], m[2])
}

// excluded is the go command's complaint about a package that has no file for
// the target.
const excluded = "build constraints exclude all Go files"

// explain adds to the error of a build what the go command does not know: that
// there is no C for this target, and so nothing of a file that imports "C".
func (p *Program) explain(ctx context.Context, err error) error {
	var failed *GoError
	if !errors.As(err, &failed) {
		return err
	}
	users := p.cgoUsers(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	users = slices.DeleteFunc(users, func(u cgoUser) bool {
		at := []string{u.ImportPath, u.Dir}
		if u.ImportPath == p.pkg.ImportPath {
			return false // its own output does not always name it
		}
		return !slices.ContainsFunc(at, func(s string) bool { return s != "" && strings.Contains(failed.Text, s) })
	})
	switch {
	case len(users) == 0 && len(p.pkg.GoFiles) == 0: // tests have seen to it that it is a package
		return fmt.Errorf("%s: %s in %s: %s", p.pkg.ImportPath, excluded, p.pkg.Dir, strings.Join(p.pkg.IgnoredGoFiles, ", "))
	case len(users) == 0:
		return err
	}
	sentence := fmt.Sprintf("%s uses cgo, and the guest has no C: take a package that is all Go, or build without the part that imports \"C\"",
		users[0].ImportPath)
	if strings.Contains(failed.Text, excluded) || strings.Contains(failed.Text, "function main is undeclared") {
		return errors.New(sentence)
	}
	return fmt.Errorf("%s\n%w", sentence, err)
}

// cgoUser is a package with files that import "C".
type cgoUser struct {
	ImportPath, Dir string
	CgoFiles        []string
	Standard        bool
}

// cgoUsers lists the packages of the program that use cgo where there is one.
func (p *Program) cgoUsers(ctx context.Context) []cgoUser {
	args := slices.Concat([]string{"list", "-deps", "-e", "-json=ImportPath,Dir,CgoFiles,Standard"},
		p.ws.flags, p.flags[:1], []string{"--"}, p.args) // p.flags[0] are the tags
	out, err := p.b.goCommand(ctx, p.dir, append(slices.Clone(p.ws.env), "CGO_ENABLED=1"), args...)
	if err != nil {
		return nil
	}
	users, _ := decodeList[cgoUser](out)
	return slices.DeleteFunc(users, func(u cgoUser) bool { return u.Standard || len(u.CgoFiles) == 0 })
}

// position is the place of a complaint in a file that the go command names from
// the directory that it runs in.
var position = regexp.MustCompile(`(?m)^(vet: )?(\.\.?/[^\s:]+)(:\d+)`)

// seenFrom rewrites the names of files in the output of a go command that ran
// in dir for who is in the working directory.
func seenFrom(dir, text string) string {
	wd, err := os.Getwd()
	if err != nil || wd == dir {
		return text
	}
	return position.ReplaceAllStringFunc(text, func(s string) string {
		m := position.FindStringSubmatch(s)
		name := filepath.Join(dir, m[2])
		if rel, err := filepath.Rel(wd, name); err == nil && !strings.HasPrefix(rel, "../../..") {
			name = rel
		}
		if !filepath.IsAbs(name) && !strings.HasPrefix(name, "../") {
			name = "./" + name
		}
		return m[1] + name + m[3]
	})
}
