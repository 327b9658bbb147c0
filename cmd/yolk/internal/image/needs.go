package image

import (
	"context"
	"slices"
	"strings"
)

// needs is what a program needs of the kernel beyond what every program does.
type needs struct {
	calls   bool // all of Linux's system calls
	network bool // the TCP/IP stack
}

// needs finds out from the packages that the program consists of.
func (p *Program) needs(ctx context.Context) needs {
	tags, _ := takeFlag(p.flags, "tags")
	return p.b.needsOf(ctx, p.dir, p.ws, slices.Concat([]string{"-tags=" + strings.Join(tags, ",")}, p.ws.flags, []string{"--"}, p.args))
}

// needsOf finds out from the packages that go list finds by args, and those that they
// need. One other than those of the standard library can make system calls itself by
// package syscall, by assembly, or by a linkname; and who has package net may use it.
// Of a test of what net imports, that is another package by its path: "net [os.test]".
// Where that cannot be found out, it may.
func (b *Builder) needsOf(ctx context.Context, dir string, ws *workspace, args []string) needs {
	const format = `{{if not (or .Standard (eq .ImportPath "runtime/goos"))}}` +
		`{{range .Imports}}{{if or (eq . "syscall") (eq . "unsafe")}}calls {{end}}{{end}}{{if .SFiles}}calls {{end}}{{end}}` +
		`{{if and .Standard (eq .Name "net")}}network {{end}}`
	out, err := b.goCommand(ctx, dir, ws.env, slices.Concat([]string{"list", "-deps", "-f", format}, args)...)
	if err != nil {
		return needs{calls: true, network: true}
	}
	words := strings.Fields(string(out))
	return needs{calls: slices.Contains(words, "calls"), network: slices.Contains(words, "network")}
}

// addNetwork adds the network stack's sources to a workspace. The kernel's own module
// requires them as any other does.
func (b *Builder) addNetwork(ctx context.Context, ws *workspace) error {
	if ws.file == "" {
		return nil
	}
	dir, err := b.thirdParty(ctx)
	if err != nil {
		return err
	}
	return ws.use(dir)
}
