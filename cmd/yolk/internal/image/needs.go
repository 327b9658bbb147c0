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

// needs finds out from the packages that the program consists of. One other than
// those of the standard library can make system calls itself by package syscall, by
// assembly, or by a linkname; and who has package net may use it. Where that cannot
// be found out, it may.
func (p *Program) needs(ctx context.Context) needs {
	const format = `{{if not (or .Standard (eq .ImportPath "runtime/goos"))}}` +
		`{{range .Imports}}{{if or (eq . "syscall") (eq . "unsafe")}}calls {{end}}{{end}}{{if .SFiles}}calls {{end}}{{end}}` +
		`{{if eq .ImportPath "net"}}network {{end}}`
	tags, _ := takeFlag(p.flags, "tags")
	list := slices.Concat([]string{"list", "-deps", "-f", format, "-tags=" + strings.Join(tags, ",")}, p.ws.flags, []string{"--"}, p.args)
	out, err := p.b.goCommand(ctx, p.dir, p.ws.env, list...)
	if err != nil {
		return needs{calls: true, network: true}
	}
	words := strings.Fields(string(out))
	return needs{calls: slices.Contains(words, "calls"), network: slices.Contains(words, "network")}
}
