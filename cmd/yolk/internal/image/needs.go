package image

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/fs/diskfs/formats"
)

// needs is what a program needs of the kernel beyond what every program does.
type needs struct {
	calls   bool // all of Linux's system calls
	network bool // the TCP/IP stack
	roots   bool // roots of trust
	zones   bool // time zones
	disks   bool // file systems of disks
}

// packages are those of the kernel that the program is to import.
func (n needs) packages() []string {
	list := []string{kernelPackage}
	for _, p := range []struct {
		needed bool
		path   string
	}{{n.calls, callsPackage}, {n.network, networkPackage}, {n.roots, rootsPackage}, {n.zones, zonesPackage}, {n.disks, disksPackage}} {
		if p.needed {
			list = append(list, p.path)
		}
	}
	return list
}

// needs finds out from the packages that the program consists of.
func (p *Program) needs(ctx context.Context) needs {
	tags, _ := takeFlag(p.flags, "tags")
	return p.b.needsOf(ctx, p.dir, p.ws, slices.Concat([]string{"-tags=" + strings.Join(tags, ",")}, p.ws.flags, []string{"--"}, p.args))
}

// needsOf finds out from the packages that go list finds by args, and those that they
// need. One other than those of the standard library can make system calls itself by
// package syscall, by assembly, or by a linkname; who has package net may use it, and
// who has crypto/x509 check certificates. Of a test of what those import, they are others
// by their paths: "net [os.test]". Time zones are looked for by who names the function
// for that, and file systems of disks are mounted by who can make system calls and names
// one of their types. Where that cannot be found out, it may. It is the first to load the packages,
// and so has them settled that are ambiguous.
func (b *Builder) needsOf(ctx context.Context, dir string, ws *workspace, args []string) needs {
	const format = `{{$p := .}}{{if not (or .Standard (eq .ImportPath "runtime/goos"))}}` +
		`{{range .Imports}}{{if or (eq . "syscall") (eq . "unsafe")}}calls{{"\n"}}{{end}}` +
		`{{if eq . "time"}}{{range $p.GoFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}` +
		`{{if or (eq . "syscall") (eq . "golang.org/x/sys/unix")}}{{range $p.GoFiles}}mounts {{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}{{if .SFiles}}calls{{"\n"}}{{end}}{{end}}` +
		`{{if and .Standard (eq .Name "net" "x509")}}{{.Name}}{{end}}`
	list := slices.Concat([]string{"list", "-deps", "-f", format}, args)
	out, err := b.goCommand(ctx, dir, ws.env, list...)
	if err != nil && strings.Contains(err.Error(), ambiguous) {
		if again, _ := b.shadow(ctx, dir, ws); again {
			out, err = b.goCommand(ctx, dir, ws.env, list...)
		}
	}
	if err != nil {
		return needs{true, true, true, true, true}
	}
	var n needs
	for line := range strings.Lines(string(out)) {
		switch line = strings.TrimSuffix(line, "\n"); line {
		case "":
		case "calls":
			n.calls = true
		case "net":
			n.network = true
		case "x509":
			n.roots = true
		default:
			if file, ok := strings.CutPrefix(line, "mounts "); ok {
				n.disks = n.disks || mountsDisks(ws.source(file))
				break
			}
			n.zones = n.zones || loadsZones(ws.source(line))
		}
	}
	return n
}

// mountsDisks reports whether a source file mounts something and names a type of file
// systems of disks.
func mountsDisks(file string) bool {
	src, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(src, []byte("Mount(")) {
		return err != nil
	}
	for _, name := range formats.Names() {
		if bytes.Contains(src, []byte(strconv.Quote(name))) {
			return true
		}
	}
	return false
}

// loadsZones reports whether a source file names time.LoadLocation.
func loadsZones(file string) bool {
	src, err := os.ReadFile(file)
	return err != nil || bytes.Count(src, []byte("LoadLocation")) > bytes.Count(src, []byte("LoadLocationFromTZData"))
}

// addNetwork adds the network stack's sources to a workspace.
func (b *Builder) addNetwork(ctx context.Context, ws *workspace) error {
	if ws.file == "" {
		return b.editOwn(ctx, ws)
	}
	dir, err := b.thirdParty(ctx)
	if err != nil {
		return err
	}
	return ws.use(dir)
}
