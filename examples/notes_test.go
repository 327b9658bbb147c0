package examples

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestGuestNotes has many clients add notes while the machine is killed again and
// again: what was acknowledged is there after each start.
func TestGuestNotes(t *testing.T) {
	yolk := guestTest(t)
	const (
		clients = 8
		least   = 40 // notes of a round
		rounds  = 3
		most    = 900 / rounds // the list that check looks at has 1000 at most
	)
	for _, machine := range []string{"microvm", "q35"} {
		t.Run(machine, func(t *testing.T) {
			root := t.TempDir()
			acknowledged := map[string]bool{}
			start := func() *server {
				s := serve(t, yolk, "notes", []string{"80"}, "--machine", machine, "--root", root, ".", "/notes.db")
				s.client("ok", "curl", "-sS", "http://"+s.addr("80")+"/healthz")
				return s
			}
			for round := range rounds {
				s := start()
				check(t, s, acknowledged)
				var mu sync.Mutex
				var wg sync.WaitGroup
				added, enough := 0, make(chan struct{})
				for c := range clients {
					wg.Go(func() {
						client := &http.Client{Transport: &http.Transport{}} // a connection of its own
						defer client.CloseIdleConnections()
						for i := range most / clients {
							title := fmt.Sprintf("%d.%d.%d", round, c, i)
							if !add(client, s, title) {
								return // the machine is gone
							}
							mu.Lock()
							acknowledged[title] = true
							if added++; added == least {
								close(enough)
							}
							mu.Unlock()
						}
					})
				}
				select {
				case <-enough:
				case <-s.ended:
					t.Fatalf("the server has ended: %s", s.output)
				}
				time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
				s.kill()
				wg.Wait()
				t.Logf("round %d: %d acknowledged, then killed", round, added)
			}
			s := start()
			check(t, s, acknowledged)
			s.stop()
		})
	}
}

// TestGuestNotesSize: an image of notes, with its sources as its root, has 25 MB at most.
func TestGuestNotesSize(t *testing.T) {
	yolk := guestTest(t)
	image := filepath.Join(t.TempDir(), "notes.elf")
	cmd := exec.Command(yolk, "build", "-o", image, "--root", ".", ".")
	cmd.Dir = "notes"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(image)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 25_000_000 {
		t.Errorf("%d bytes, want 25 MB at most", info.Size())
	}
}

// add adds a note, and reports whether that was acknowledged.
func add(client *http.Client, s *server, title string) bool {
	r, err := client.Post("http://"+s.addr("80")+"/api/notes", "application/json", strings.NewReader(`{"title":"`+title+`"}`))
	if err != nil {
		return false
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil && r.StatusCode == http.StatusCreated
}

// check looks for the notes with titles.
func check(t *testing.T, s *server, titles map[string]bool) {
	t.Helper()
	out := s.client("", "curl", "-sS", "http://"+s.addr("80")+"/api/notes")
	var notes []struct{ Title string }
	if err := json.Unmarshal([]byte(out), &notes); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	there := map[string]bool{}
	for _, n := range notes {
		there[n.Title] = true
	}
	for title := range titles {
		if !there[title] {
			t.Errorf("note %s was acknowledged and is gone", title)
		}
	}
}
