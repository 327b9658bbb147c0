package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSearch types into the search field of the site in a browser: of one with the theme's
// page and script, and where YOLK_SITE names a directory, as make docs does, of the
// site that Hugo has made there.
func TestSearch(t *testing.T) {
	b := startBrowser(t)
	small := t.TempDir()
	laySite(t, small)
	trySearch(t, b, small)
	// Without an index nothing is found, and that is not what is said.
	index := filepath.Join(small, "search-index.js")
	if err := os.Rename(index, index+".away"); err != nil {
		t.Fatal(err)
	}
	b.open("file://" + small + "/index.html?without")
	b.click("#search input")
	b.keys("x")
	b.wait("document.getElementById('results').innerText", func(s string) bool { return strings.Contains(s, "search-index.js, cannot be loaded") })
	if err := os.Rename(index+".away", index); err != nil {
		t.Fatal(err)
	}
	b.keys("\bterminals")
	b.wait("document.getElementById('results').innerText", func(s string) bool { return strings.HasPrefix(s, "Terminals\n") })
	if site := os.Getenv("YOLK_SITE"); site != "" {
		trySearch(t, b, site)
	}
}

// trySearch searches in a site, from a disk and over HTTP, on its first page and on one
// in a directory below.
func trySearch(t *testing.T, b *browser, site string) {
	site, err := filepath.Abs(site)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(site)))
	defer server.Close()
	for _, top := range []string{"file://" + site, server.URL} {
		for _, page := range []string{"/index.html", "/docs/ARCHITECTURE.html"} {
			if strings.HasPrefix(top, "http") && page == "/index.html" {
				page = "/" // which is what a file server has a reader see
			}
			b.open(top + page)
			t.Logf("searching on %s%s", top, page)
			const results = "document.getElementById('results')"
			if got := b.see(results + ".hidden"); got != "true" {
				t.Errorf("results are hidden before something is typed: %s", got)
			}
			b.click("#search input")
			// What is typed is found while it is typed; words in a page's title count most.
			b.keys("Terminals ")
			b.wait(results+".innerText", func(s string) bool { return strings.HasPrefix(s, "Terminals\n") })
			b.keys("isatty")
			text := b.wait(results+".innerText", func(s string) bool { return strings.Contains(s, "isatty") })
			if got := b.see(results + ".querySelector('a').href"); got != top+"/docs/TERMINAL.html" {
				t.Errorf("the first result leads to %s:\n%s", got, text)
			}
			b.keys("nowhere")
			b.wait(results+".innerText", func(s string) bool { return s == "No page has all of these words." })
			b.keys(strings.Repeat("\b", len("Terminals isattynowhere")))
			b.wait(results+".hidden", func(s string) bool { return s == "true" })
			// Enter goes to the first.
			b.keys("terminals isatty")
			b.wait(results+".innerText", func(s string) bool { return strings.HasPrefix(s, "Terminals\n") })
			b.keys("\r")
			b.wait("document.readyState + ' ' + location.href", func(s string) bool { return s == "complete "+top+"/docs/TERMINAL.html" })
			if got := b.see("document.querySelector('h1').innerText"); got != "Terminals" {
				t.Errorf("the page that is gone to is %q", got)
			}
		}
	}
}

// laySite makes a site of three pages as Hugo does, of the theme's page without what it
// takes Hugo to fill in.
func laySite(t *testing.T, dir string) {
	if err := os.CopyFS(dir, os.DirFS("theme/static")); err != nil {
		t.Fatal(err)
	}
	theme, err := os.ReadFile("theme/layouts/baseof.html")
	if err != nil {
		t.Fatal(err)
	}
	type page struct {
		Title string `json:"title"`
		URL   string `json:"url"`
		Text  string `json:"text"`
	}
	pages := []page{
		{"Yolk", "index.html", "isatty is for terminals"},
		{"Architecture", "docs/ARCHITECTURE.html", "Packages, and a word about terminals and isatty."},
		{"Terminals", "docs/TERMINAL.html", "What isatty says. <b>"},
	}
	for _, p := range pages {
		up := strings.Repeat("../", strings.Count(p.URL, "/"))
		text := regexp.MustCompile(`{{ "([^"]+)" \| relURL }}`).ReplaceAllString(string(theme), up+"$1")
		text = strings.Replace(text, `{{ block "main"`, "<h1>"+p.Title+"</h1>{{", 1)
		text = regexp.MustCompile(`{{.*?}}`).ReplaceAllString(text, "")
		if err := write(filepath.Join(dir, p.URL), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	index, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(filepath.Join(dir, "search-index.js"), []byte("window.searchIndex = "+string(index)+";\n")); err != nil {
		t.Fatal(err)
	}
}
