package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

const pageHead = `# Compatibility

This page is written by ` + "`make compatibility`" + ` (cmd/compatibility): do not edit it.

Programs and libraries that others wrote for Linux, as the Go module proxy has them, not a byte changed. Each is built
twice from the same sources: by %s for Linux without C, and by ` + "`yolk build`" + ` for the guest. Both run with the same
arguments, environment and files, in guests of both machine types. Compared are standard output and error, the exit
status, and the tree of files afterwards: names, types, permissions, contents. What changes between two runs on Linux,
too (times, durations, ports, names of temporary files, keys), is masked, as each program's file in
cmd/compatibility/programs says.

`

const pageEnd = `
## How to reproduce

    make compatibility                              # all; goes on where it was interrupted
    go run ./cmd/compatibility -run '^age$'         # one program or suite; of the others, what is known

A program of your own is added as a file in cmd/compatibility/programs, a test suite as a line of
cmd/compatibility/suites.txt. What differs and why it may is in cmd/compatibility/reasons.txt.
`

const (
	old      = " †"       // marks a result that is not of this build
	losses   = "**LOSS**" // is in place of a reason
	loss     = ", " + losses
	noResult = "no result" // of a guest, as gotest.Outcome has it
)

// row is an item with what it did.
type row struct {
	records [len(platforms)]*record
	kept    [len(platforms)]string // what the page says where there is no record
	old     [len(platforms)]string // a mark, where the record is of another build
	losses  int                    // differences without a reason
	known   int                    // differences with one
}

// lost is a difference as the page lists it.
type lost struct {
	item, what string
	guests     [len(platforms) - 1]string
	text       string
	reason     string
}

// has tells whether it is known what the item did on a platform.
func (w *row) has(platform int) bool { return w.records[platform] != nil || w.kept[platform] != "" }

// report makes the page. What the cache has no record of is as the page says so
// far. The complaints are differences without a reason, and reasons without a
// difference.
func (r *runner) report(l *list, so *kept) (page []byte, complaints []error, err error) {
	var programs, suites, all bytes.Buffer
	var differences []lost
	unexplained, stale := 0, 0
	same, ran, both := 0, 0, 0 // programs: as on Linux, run in a guest, on both machines
	whole := true              // all items have run everywhere
	keeps := 0
	var records []*record
	for _, it := range l.items() {
		var w row
		for i := range platforms {
			rec, current, err := r.cached(it, i)
			if err != nil {
				return nil, nil, err
			}
			if w.records[i] = rec; rec == nil {
				whole = false
				continue
			}
			records = append(records, rec)
			if !current {
				w.old[i] = old
				stale++
			}
		}
		var found []lost
		name := it.title() // as the page has it
		switch it := it.(type) {
		case *program:
			found = programLosses(it, w.records)
		case *suite:
			name = suiteName(name)
			found = r.suiteLosses(it, w.records)
		}
		so.fill(name, &w)
		found = so.differences(name, &w, found)
		for _, cell := range w.kept {
			if cell != "" {
				keeps++
			}
		}
		first := ""
		for i := range found {
			d := &found[i]
			if reason := l.reasonFor(d.item, d.what); reason != "" {
				d.reason = reason
			}
			if d.reason != "" {
				w.known++
				continue
			}
			d.reason = losses
			if w.losses++; w.losses == 1 {
				first = fmt.Sprintf("%s: %s", d.what, clip(d.text, 300))
			}
		}
		if w.losses > 0 {
			complaints = append(complaints, fmt.Errorf("%s: %d differences have no reason in reasons.txt; the first is %s", it.title(), w.losses, first))
		}
		differences = append(differences, found...)
		unexplained += w.losses
		switch it := it.(type) {
		case *program:
			if w.has(1) && w.has(2) {
				both++
			}
			if w.has(1) || w.has(2) {
				ran++
				if w.losses+w.known == 0 {
					same++
				}
			}
			writeProgram(&programs, it, &w, so.sizes[name])
		case *suite:
			writeSuite(&suites, it, &w)
		}
	}
	for _, reason := range l.reasons {
		if !reason.used && whole {
			complaints = append(complaints, fmt.Errorf("%s, %s: does not differ; take its reason out of reasons.txt", reason.item, reason.what))
		}
	}
	fmt.Fprintf(&all, pageHead, r.goVersion)
	fmt.Fprintf(&all, "%d programs and %d test suites are listed; %d programs have run in the guest, %d of them on both machines, and %d exactly as on Linux.\n",
		len(l.programs), len(l.suites), ran, both, same)
	if unexplained > 0 {
		fmt.Fprintf(&all, "%d of %d differences have no reason that would hold: look for %s below.\n", unexplained, len(differences), losses)
	}
	if stale+keeps > 0 {
		fmt.Fprintf(&all, "\n%d results, those marked%s, are those of another build of Yolk, or of another text of the item, than this page's.\n", stale+keeps, old)
	}
	all.WriteString(costs(records, keeps))
	fmt.Fprintf(&all, "\n## Programs\n\nThe size is that of the image, in MB (10⁶ bytes). A library is tried by a program of ours, which is in its file.\n\n"+
		"| program | does | runs | size | %s | %s |\n|---|---|---|---|---|---|\n%s", platforms[1], platforms[2], &programs)
	fmt.Fprintf(&all, "\n## Test suites\n\nThe tests of modules, by `go test` on Linux and `yolk test` in the guest. A cell has the numbers of tests and subtests\n"+
		"that passed / failed / were skipped. What fails on Linux, here, is not counted against the guest. Tests that pass on\n"+
		"Linux and not in the guest are run there once more, by themselves: some have deadlines too short for an emulator.\n\n"+
		"| module | tests | Linux | %s | %s | differences |\n|---|---|---|---|---|---|\n%s", platforms[1], platforms[2], &suites)
	writeDifferences(&all, differences)
	all.WriteString(pageEnd)
	return all.Bytes(), complaints, nil
}

// programLosses lists how a program differs in the guests.
func programLosses(p *program, recs [len(platforms)]*record) (found []lost) {
	if recs[onLinux] == nil {
		return nil
	}
	for i, rec := range recs[1:] {
		if rec == nil {
			continue
		}
		for _, d := range compare(p, recs[onLinux], rec) {
			at := slices.IndexFunc(found, func(l lost) bool { return l.what == d.what })
			if at < 0 {
				at = len(found)
				found = append(found, lost{item: p.name, what: d.what, text: d.text})
			}
			found[at].guests[i] = "differs"
		}
	}
	return found
}

// suiteLosses lists the tests that pass on Linux only. A package that does not
// build is one difference, not one for each of its tests.
func (r *runner) suiteLosses(s *suite, recs [len(platforms)]*record) (found []lost) {
	linux := recs[onLinux]
	if linux == nil {
		return nil
	}
	path, _, _ := strings.Cut(s.module, "@")
	for i, rec := range recs[1:] {
		if rec != nil && rec.Failure != "" {
			l := lost{item: path, what: "end", text: rec.Failure}
			l.guests[i] = "failed"
			found = append(found, l)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(linux.Tests)) {
		var guests []*gotest.Result
		broken := lost{item: path, what: below(path, pkg, "build")}
		for i, rec := range recs[1:] {
			var res *gotest.Result
			if rec != nil && rec.Failure == "" {
				if res = rec.Tests[pkg]; res == nil {
					res = &gotest.Result{}
				}
			}
			if pass, _, _ := linux.Tests[pkg].Count(); res != nil && res.Verdict == gotest.BuildFailed && pass > 0 {
				broken.guests[i] = "does not build"
				if events, err := os.ReadFile(r.file(s, i+1, ".events")); err == nil {
					broken.text = buildOutput(events, pkg)
				}
				res = nil
			}
			guests = append(guests, res)
		}
		if broken.guests != [len(platforms) - 1]string{} {
			found = append(found, broken)
		}
		var never []lost // tests that did not begin
		for _, e := range gotest.Exceptions(pkg, linux.Tests[pkg], guests...) {
			l := lost{item: path, what: below(path, pkg, e.Test), text: e.Message()}
			for i := range l.guests {
				l.guests[i] = e.Guests[i].String()
			}
			if begun(e) || r.list.reason(path, l.what) != nil {
				found = append(found, l)
			} else {
				never = append(never, l)
			}
		}
		if len(never) >= manyTests {
			text := fmt.Sprintf("%d tests did not begin, from %s on in the alphabet: the program had ended", len(never), never[0].what)
			never = []lost{{item: path, what: below(path, pkg, "end"), text: text, guests: never[0].guests}}
		}
		found = append(found, never...)
	}
	return found
}

// manyTests is from how many on tests that did not begin are one difference.
const manyTests = 5

// begun reports whether a test began where it did not pass.
func begun(e gotest.Exception) bool {
	return slices.ContainsFunc(e.Guests, func(l gotest.Lapse) bool {
		return l.Subs > 0 || l.Outcome == gotest.Skipped || l.Outcome > gotest.NotRun
	})
}

// below names something of a package, by the package's path below its module.
func below(module, pkg, name string) string {
	rest := strings.Trim(strings.TrimPrefix(pkg, module), "/")
	if rest == "" {
		return name
	}
	return rest + "." + name
}

// writeProgram writes a program's row. The size is that of its image, where there is
// no record of one.
func writeProgram(w *bytes.Buffer, p *program, row *row, size string) {
	cells := [2]string{}
	for i, rec := range row.records[1:] {
		switch {
		case rec == nil && row.kept[i+1] != "":
			cells[i] = row.kept[i+1]
		case rec == nil:
			cells[i] = notRun
		case strings.HasPrefix(rec.Failure, "build"):
			cells[i] = "does not build"
		case rec.Failure != "":
			cells[i] = "does not end"
		case row.records[onLinux] == nil:
			cells[i] = "not compared"
		case len(compare(p, row.records[onLinux], rec)) > 0:
			cells[i] = "differs"
		default:
			cells[i] = "same"
		}
		cells[i] += row.old[i+1]
		if rec != nil && rec.Image > 0 {
			size = fmt.Sprintf("%.0f", float64(rec.Image)/1e6)
		}
	}
	if row.losses > 0 {
		cells[0] += loss
	}
	module, version, _ := strings.Cut(p.modules[0], "@")
	if !p.own() {
		module = p.pkg
	}
	fmt.Fprintf(w, "| %s (%s %s) | %s | %d | %s | %s | %s |\n", p.name, module, version, p.does, len(p.steps), size, cells[0], cells[1])
}

func writeSuite(w *bytes.Buffer, s *suite, row *row) {
	differences := ""
	switch {
	case row.losses > 0:
		differences = fmt.Sprintf("%d, %d %s", row.losses+row.known, row.losses, losses)
	case row.known > 0:
		differences = fmt.Sprintf("%d, with reasons", row.known)
	case row.has(1) && row.has(2):
		differences = "none"
	}
	cells := [len(platforms)]string{}
	for i, rec := range row.records {
		text := row.kept[i]
		if text == "" {
			text = rec.counts()
		}
		cells[i] = gotest.Cell(text) + row.old[i]
	}
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", s.module, strings.ReplaceAll(strings.Join(slices.Concat(s.packages, s.flags, s.env), " "), "|", `\|`), cells[0], cells[1], cells[2], differences)
}

func writeDifferences(w *bytes.Buffer, found []lost) {
	fmt.Fprintf(w, "\n## Differences\n\n")
	if len(found) == 0 {
		fmt.Fprintln(w, "None.")
		return
	}
	fmt.Fprintf(w, "What differs is the build, the end, or of a run, by its number, the output or status; the tree of files; or a test.\n\n"+
		"| item | what | %s | %s | how | reason |\n|---|---|---|---|---|---|\n", platforms[1], platforms[2])
	for _, d := range found {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", d.item, gotest.Cell(d.what), d.guests[0], d.guests[1], gotest.Cell(d.text), d.reason)
	}
}

// clip cuts a text to so many bytes.
func clip(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
