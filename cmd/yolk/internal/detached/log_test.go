package detached

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// readAll reads what there is.
func readAll(t *testing.T, r *Reader) (list []Entry) {
	t.Helper()
	for {
		e, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
}

func TestLog(t *testing.T) {
	d := dirOf(t)
	own := claim(t, d, "log")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	own.Log.now = func() time.Time { return at }
	long := bytes.Repeat([]byte("0123456789abcde\n"), maxRecord/8) // two records
	for _, w := range []struct {
		s    Stream
		text []byte
	}{{Stdout, []byte("one\n")}, {Stderr, []byte("\x00\xff no end")}, {Kernel, nil}, {Stdout, long}} {
		if n, err := own.Log.Writer(w.s).Write(w.text); n != len(w.text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	list := readAll(t, find(t, d, "log").Log())
	got := ""
	for _, e := range list {
		got += fmt.Sprintf("%s %d %v\n", e.Stream, len(e.Text), e.Time.Equal(at))
	}
	want := fmt.Sprintf("stdout 4 true\nstderr 9 true\nstdout %d true\nstdout %[1]d true\n", maxRecord)
	if got != want || string(list[1].Text) != "\x00\xff no end" || !bytes.Equal(append(list[2].Text, list[3].Text...), long) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestLogTurns reads a log while it is written and its files turn over: what comes out is
// all, or is what is left behind a gap that is told.
func TestLogTurns(t *testing.T) {
	d := dirOf(t)
	own := claim(t, d, "log")
	own.Log.max = 300
	r := find(t, d, "log")
	reader := r.Log()
	defer reader.Close()
	changed, stop, err := r.Changes()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	done, err := r.Done()
	if err != nil {
		t.Fatal(err)
	}
	const many = 3000
	go func() {
		for i := range many {
			fmt.Fprintf(own.Log.Writer(Stdout), "%d\n", i)
		}
		if err := own.Ended(End{}); err != nil {
			t.Error(err)
		}
	}()
	next, gaps := 0, 0
	for over := false; !over; {
		select {
		case <-changed:
		case <-done:
			over = true
		}
		for {
			e, err := reader.Next()
			if err == io.EOF {
				break
			}
			var n int
			if _, scan := fmt.Sscan(string(e.Text), &n); err != nil || scan != nil {
				t.Fatalf("%+v, %v, %v", e, err, scan)
			}
			if reader.Lost {
				gaps++
			}
			if n < next || n > next && !reader.Lost {
				t.Fatalf("number %d, want %d (gap told: %v)", n, next, reader.Lost)
			}
			next = n + 1
		}
	}
	if next != many {
		t.Errorf("ends before %d, want %d", next, many)
	}
	t.Logf("%d gaps", gaps)
	// From its beginning, the log has two files' worth.
	if list := readAll(t, find(t, d, "log").Log()); len(list) < 5 || string(list[len(list)-1].Text) != fmt.Sprintln(many-1) {
		t.Errorf("%d entries left: %v", len(list), list)
	}
}

// TestLogFull: what there is no room for is missing, as a whole, and is told.
func TestLogFull(t *testing.T) {
	d := dirOf(t)
	own := claim(t, d, "log")
	w := own.Log.Writer(Stdout)
	fmt.Fprintln(w, "before")
	file := own.Log.file
	var err error
	if own.Log.file, err = own.root.Open(logFile); err != nil { // takes nothing
		t.Fatal(err)
	}
	fmt.Fprintln(w, "12345")
	fmt.Fprintln(w, "67")
	own.Log.file.Close()
	own.Log.file = file
	fmt.Fprintln(w, "after")
	var got strings.Builder
	for _, e := range readAll(t, find(t, d, "log").Log()) {
		fmt.Fprintf(&got, "%s %s", e.Stream, e.Text)
	}
	want := "stdout before\nkernel yolk: there was no room for 9 bytes of the log\nstdout after\n"
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}

// FuzzLog reads files that are no logs.
func FuzzLog(f *testing.F) {
	f.Add([]byte("yolk log 1\nstdout 2026-01-02T03:04:05.000000006Z 4\none\n"), []byte(""))
	f.Add([]byte("yolk log 2\nstderr 2026-01-02T03:04:05.000000006Z 100\none\n"), []byte("yolk log 1\n"))
	f.Add([]byte("yolk log 99999999999999999999\n"), []byte("yolk log 2\nkernel x -1\n"))
	f.Fuzz(func(t *testing.T, newer, older []byte) {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := root.WriteFile(logFile, newer, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(olderLog, older, 0o600); err != nil {
			t.Fatal(err)
		}
		r := &Reader{root: root}
		defer r.Close()
		total := 0
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			if total += len(e.Text) + 1; total > len(newer)+len(older) {
				t.Fatalf("%d bytes of %d", total, len(newer)+len(older))
			}
		}
	})
}
