package docs_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/docs/pages"
)

// top is the directory of the module, as tests of this package see it.
const top = ".."

// read returns all pages, by name.
func read(t *testing.T) map[string]*pages.Page {
	t.Helper()
	all, err := pages.Read(top)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*pages.Page{}
	for _, p := range all {
		byName[p.Name] = p
	}
	if byName["README.md"] == nil || len(all) < 20 {
		t.Fatalf("%d pages", len(all))
	}
	return byName
}

// TestLinks: what a page links to is there, with the heading that is named, and every
// page is reached from README.md.
func TestLinks(t *testing.T) {
	all := read(t)
	reached := map[string]bool{"README.md": true}
	queue := []string{"README.md"}
	for len(queue) > 0 {
		p := all[queue[0]]
		queue = queue[1:]
		for _, link := range p.Links {
			u, err := url.Parse(link.Text)
			if err != nil {
				t.Errorf("%s:%d: %v", p.Name, link.Line, err)
				continue
			}
			if u.IsAbs() {
				// What others serve is not asked: it may be down today.
				if u.Scheme != "https" || u.Host == "" {
					t.Errorf("%s:%d: %s: a link into the web begins with https://HOST", p.Name, link.Line, link.Text)
				}
				continue
			}
			target := path.Join(path.Dir(p.Name), u.Path)
			if u.Path == "" {
				target = p.Name
			}
			info, err := os.Stat(filepath.Join(top, target))
			if err != nil || strings.HasPrefix(target, "..") || path.IsAbs(u.Path) {
				t.Errorf("%s:%d: the link %s leads to no file of the repository: %v", p.Name, link.Line, link.Text, err)
				continue
			}
			if info.IsDir() && all[path.Join(target, "README.md")] != nil { // GitHub shows it
				target = path.Join(target, "README.md")
			}
			to := all[target]
			if u.Fragment != "" && (to == nil || !to.Anchors[u.Fragment]) {
				t.Errorf("%s:%d: %s has no heading for #%s", p.Name, link.Line, target, u.Fragment)
			}
			if to != nil && !reached[target] {
				reached[target] = true
				queue = append(queue, target)
			}
		}
	}
	for name := range all {
		if !reached[name] {
			t.Errorf("no page that is reached from README.md links to %s", name)
		}
	}
}
