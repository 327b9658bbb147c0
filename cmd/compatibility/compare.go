package main

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// difference is something that a program does in the guest and not on Linux, or
// the other way round.
type difference struct {
	what string // as reasons.txt names it
	text string
}

// compare returns in what a program's runs differ from those on Linux.
func compare(p *program, linux, guest *record) (found []difference) {
	if guest.Failure != "" {
		what, text, ok := strings.Cut(guest.Failure, ": ")
		if !ok || what != "build" {
			what, text = "end", guest.Failure
		}
		return []difference{{what, text}}
	}
	add := func(what, format string, args ...any) {
		found = append(found, difference{what, fmt.Sprintf(format, args...)})
	}
	for i := range min(len(linux.Steps), len(guest.Steps)) {
		l, g := linux.Steps[i], guest.Steps[i]
		if l.Status != g.Status {
			add(fmt.Sprintf("%d.status", i+1), "%d on Linux, %d in the guest", l.Status, g.Status)
		}
		for _, s := range []struct{ name, l, g string }{{"stdout", l.Stdout, g.Stdout}, {"stderr", l.Stderr, g.Stderr}} {
			if l, g := masked(s.l, p.masks), masked(s.g, p.masks); l != g {
				add(fmt.Sprintf("%d.%s", i+1, s.name), "%s", firstDifference(l, g))
			}
		}
	}
	names := maps.Clone(linux.Tree)
	maps.Copy(names, guest.Tree)
	var trees []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if matchesAny(p.ignored, name) {
			continue
		}
		l, onLinux := linux.Tree[name]
		g, inGuest := guest.Tree[name]
		switch {
		case !inGuest:
			trees = append(trees, name+" is on Linux only")
		case !onLinux:
			trees = append(trees, name+" is in the guest only")
		case l.Mode != g.Mode:
			trees = append(trees, fmt.Sprintf("%s: %v on Linux, %v in the guest", name, l.Mode, g.Mode))
		case matchesAny(p.volatiles, name) || l.Mode.IsDir():
		case l.Mode&fs.ModeSymlink != 0 && l.Target != g.Target:
			trees = append(trees, fmt.Sprintf("%s leads to %q on Linux, to %q in the guest", name, l.Target, g.Target))
		case l.Sum == g.Sum:
		case l.Text != "" && g.Text != "":
			if l, g := masked(l.Text, p.masks), masked(g.Text, p.masks); l != g {
				trees = append(trees, name+": "+firstDifference(l, g))
			}
		default:
			trees = append(trees, fmt.Sprintf("%s: other contents (%d bytes on Linux, %d in the guest)", name, l.Size, g.Size))
		}
	}
	if len(trees) > 0 {
		add("tree", "%s", strings.Join(trees, "; "))
	}
	return found
}

// firstDifference shows the first lines in which two texts differ.
func firstDifference(linux, guest string) string {
	l, g := strings.Split(linux, "\n"), strings.Split(guest, "\n")
	for i := range max(len(l), len(g)) {
		switch {
		case i >= len(l):
			return fmt.Sprintf("line %d is in the guest only: %q", i+1, strings.Join(g[i:min(i+5, len(g))], "\n"))
		case i >= len(g):
			return fmt.Sprintf("line %d is on Linux only: %q", i+1, strings.Join(l[i:min(i+5, len(l))], "\n"))
		case l[i] != g[i]:
			return fmt.Sprintf("line %d: %q on Linux, %q in the guest", i+1, l[i], strings.Join(g[i:min(i+5, len(g))], "\n"))
		}
	}
	return ""
}
