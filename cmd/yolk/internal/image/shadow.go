package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A module that lists all that its packages need, as those of Go 1.17 and later do, is
// built from what it lists: other modules, which those require in turn, are not looked
// at as long as the listed ones have every package (https://go.dev/ref/mod#graph-pruning,
// #lazy-loading). A workspace has no such list: there, every module of the graph is
// looked at, and a package that two of them have is "ambiguous". So they are ambiguous
// with Yolk, which builds in a workspace, where they are not without, and
// google.golang.org/genproto, which was split, is in the graph of every second program.

// ambiguous is in what the go command says then.
const ambiguous = "ambiguous import: "

// lazyFrom is the minor version of Go whose modules are built so.
const lazyFrom = 17

// shadow empties the modules of the workspace's graph that the user's module does not list
// and that could have packages of those that it does list. It reports whether there are
// any. In a workspace of the user's own they are ambiguous without Yolk as well.
func (b *Builder) shadow(ctx context.Context, dir string, ws *workspace) (bool, error) {
	if ws.file == "" || ws.vendored || len(ws.lists) == 0 {
		return false, nil
	}
	out, err := b.goCommand(ctx, dir, ws.env, slices.Concat([]string{"list", "-m", "-f", "{{if not .Main}}{{.Path}}{{end}}"}, ws.flags, []string{"all"})...)
	if err != nil {
		return false, err
	}
	found := false
	for _, m := range overshadowed(strings.Fields(string(out)), ws.lists) {
		empty, err := os.MkdirTemp(b.Scratch, "empty-")
		if err != nil {
			return false, err
		}
		if err := os.WriteFile(filepath.Join(empty, "go.mod"), fmt.Appendf(nil, "module %s\n", quoteMod(m)), 0o600); err != nil {
			return false, err
		}
		ws.replace(m, "", empty)
		found = true
	}
	if !found {
		return false, nil
	}
	return true, os.WriteFile(ws.file, ws.work.format(), 0o600)
}

// overshadowed returns those of the modules that are not listed and may have a package
// that a listed one has: a package's path begins with its module's.
func overshadowed(modules, listed []string) (list []string) {
	within := func(a, b string) bool { return strings.HasPrefix(a+"/", b+"/") }
	for _, m := range modules {
		if !slices.Contains(listed, m) && slices.ContainsFunc(listed, func(l string) bool { return within(m, l) || within(l, m) }) {
			list = append(list, m)
		}
	}
	return list
}
