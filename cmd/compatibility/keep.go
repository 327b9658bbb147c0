package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// notRun is the cell of what neither the cache nor the page knows.
const notRun = "not run"

// kept is what the page says so far, for what the cache has no record of: the
// cache is one machine's, and a new one's is empty, while the page is everyone's.
type kept struct {
	cells map[string][len(platforms)]string // by the item's name; without marks, empty: not run
	sizes map[string]string                 // of programs' images
	found map[string][]lost                 // differences, by the item as they name it
}

// readPage reads a page that report made. One that is not there says nothing.
func readPage(name string) (*kept, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &kept{}, nil
	}
	if err != nil {
		return nil, err
	}
	k, err := parsePage(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s, %w; mend it, or remove it with all that it has", name, err)
	}
	return k, nil
}

// parsePage reads the rows of a page's three tables.
func parsePage(text string) (*kept, error) {
	k := &kept{cells: map[string][len(platforms)]string{}, sizes: map[string]string{}, found: map[string][]lost{}}
	table, head := "", false
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			table, head = name, true
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if head { // the names of the columns, and the line below them
			head = !strings.HasPrefix(line, "|---")
			continue
		}
		row := splitRow(line)
		if len(row) != 6 {
			return nil, fmt.Errorf("line %d: %d cells, want 6: %s", n, len(row), clip(line, 80))
		}
		switch table {
		case "Programs":
			name, _, _ := strings.Cut(row[0], " (")
			k.sizes[name] = row[3]
			k.cells[name] = [...]string{"", result(row[4]), result(row[5])}
		case "Test suites":
			k.cells[suiteName(row[0])] = [...]string{result(row[2]), result(row[3]), result(row[4])}
		case "Differences":
			l := lost{item: row[0], what: plain(row[1]), guests: [...]string{row[2], row[3]}, text: plain(row[4]), reason: row[5]}
			k.found[l.item] = append(k.found[l.item], l)
		}
	}
	return k, nil
}

// splitRow takes a row apart. A bar in a cell stands behind a backslash.
func splitRow(line string) (cells []string) {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	start := 0
	for i := range len(line) {
		if line[i] == '|' && (i == 0 || line[i-1] != '\\') {
			cells = append(cells, strings.TrimSpace(line[start:i]))
			start = i + 1
		}
	}
	return append(cells, strings.TrimSpace(line[start:]))
}

// plain is the text that gotest.Cell made a cell of, as far as the cell has it.
func plain(cell string) string {
	return strings.NewReplacer(`\|`, "|", "&lt;", "<", `\*`, "*", `\_`, "_").Replace(cell)
}

// result is what a cell says of a platform, without its marks.
func result(cell string) string {
	cell = strings.TrimSuffix(strings.TrimSuffix(cell, loss), old)
	if cell == notRun {
		return ""
	}
	return plain(cell)
}

// suiteName is a suite's name on all versions of its module.
func suiteName(module string) string {
	path, _, _ := strings.Cut(module, "@")
	return path
}

// fill has a row say of the platforms without a record what the page says.
func (k *kept) fill(name string, w *row) {
	for i, cell := range k.cells[name] {
		if w.records[i] == nil && cell != "" {
			w.kept[i], w.old[i] = cell, old
		}
	}
}

// differences adds to those found by the records what the page says of the guests
// that have none.
func (k *kept) differences(name string, w *row, found []lost) []lost {
	for _, page := range k.found[name] {
		l := lost{item: page.item, what: page.what, text: page.text}
		if strings.HasSuffix(page.what, "…") && page.reason != losses {
			l.reason = page.reason // which a name that is cut short would not find
		}
		any := false
		for i := range l.guests {
			if w.records[i+1] == nil {
				l.guests[i] = page.guests[i]
			}
			if w.kept[i+1] != "" {
				any = any || l.guests[i] != "" && l.guests[i] != noResult
			}
		}
		if !any {
			continue
		}
		at := slices.IndexFunc(found, func(f lost) bool { return gotest.Cell(f.what) == gotest.Cell(l.what) })
		if at < 0 {
			found = append(found, l)
			continue
		}
		for i := range l.guests {
			if w.kept[i+1] != "" {
				found[at].guests[i] = l.guests[i]
			}
		}
	}
	return found
}
