package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// app is the application over a database in a directory of its own.
type app struct {
	*testing.T
	file   string
	store  *store
	server *httptest.Server
}

func newApp(t *testing.T) *app {
	a := &app{T: t, file: filepath.Join(t.TempDir(), "odd ?name#.db")}
	a.open()
	t.Cleanup(a.close)
	return a
}

func (a *app) open() {
	a.Helper()
	s, err := openStore(a.Context(), a.file)
	if err != nil {
		a.Fatal(err)
	}
	a.store, a.server = s, httptest.NewServer(newHandler(s))
}

func (a *app) close() {
	a.server.Close()
	if err := a.store.close(); err != nil {
		a.Error(err)
	}
}

// do makes a request and decodes the answer into v, unless that is nil.
func (a *app) do(method, path, body string, want int, v any) {
	a.Helper()
	r, err := http.NewRequest(method, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.Error(err)
		return
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		a.Errorf("%s %s: %s %q, %v; want %d", method, path, answer.Status, data, err, want)
		return
	}
	if v != nil {
		if err := json.Unmarshal(data, v); err != nil {
			a.Errorf("%s %s: %q: %v", method, path, data, err)
		}
	}
}

func TestNotes(t *testing.T) {
	a := newApp(t)
	var n, m note
	a.do("POST", "/api/notes", `{"title":"one","text":"1"}`, 201, &n)
	a.do("POST", "/api/notes", `{"title":"two"}`, 201, &m)
	if n.ID == m.ID || n.Title != "one" || n.Text != "1" {
		t.Errorf("added %+v and %+v", n, m)
	}
	one := fmt.Sprintf("/api/notes/%d", n.ID)
	a.do("PUT", one, `{"title":"one","text":"changed"}`, 200, nil)
	a.close()
	a.open() // as it is after a restart
	a.do("GET", one, "", 200, &n)
	if n.Text != "changed" {
		t.Errorf("changed: %+v", n)
	}
	var all []note
	a.do("GET", "/api/notes", "", 200, &all)
	if len(all) != 2 || all[0].Title != "one" {
		t.Errorf("all: %+v", all)
	}
	a.do("DELETE", one, "", 204, nil)
	a.do("GET", one, "", 404, nil)
	a.do("DELETE", one, "", 404, nil)
	a.do("PUT", one, `{"title":"x"}`, 404, nil)
	a.do("GET", "/healthz", "", 200, nil)
	a.do("GET", "/", "", 200, nil)
	for _, bad := range []string{"", "{", `{"text":"no title"}`, `[]`, `{"title":"` + strings.Repeat("x", maxBody) + `"}`} {
		a.do("POST", "/api/notes", bad, 400, nil)
	}
	a.do("GET", "/api/notes/x", "", 400, nil)
	a.do("GET", "/api/notes/99999999999999999999", "", 400, nil)
}

// TestAtOnce adds from many sides at once, and none is lost.
func TestAtOnce(t *testing.T) {
	a := newApp(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				a.do("POST", "/api/notes", fmt.Sprintf(`{"title":"%d.%d"}`, i, j), 201, nil)
			}
		})
	}
	wg.Wait()
	var all []note
	a.do("GET", "/api/notes", "", 200, &all)
	if len(all) != 80 {
		t.Errorf("%d notes, want 80", len(all))
	}
}
