package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// odd are names that are hard to handle.
var odd = []string{"a b", "-n", "яйцо", "quo'te\"", "star*", "$HOME", "new\nline", "\\back"}

func TestOddNames(t *testing.T) {
	s := newTestShell(t)
	for _, name := range odd {
		if err := os.WriteFile(name, []byte("text of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s, "for f in *; do cat -- \"$f\" > /dev/null || echo \"no $f\"; done", "")
	want(t, s, "mkdir d; cp -- * d 2>/dev/null; ls d | wc -l; mv -- d/* .; rm -r d; cp -r . /tmp/copy.$$ ; rm -r /tmp/copy.$$", number(len(odd)+1)+"\n")
	want(t, s, "for f in *; do mv -- \"$f\" \"x$f\" && ln -s \"x$f\" \"l$f\" && chmod 600 \"l$f\" && stat \"x$f\" >/dev/null; done; grep -l text x* | wc -l; find . -type l | wc -l",
		number(len(odd)+1)+"\n"+number(len(odd)+1)+"\n")
	want(t, s, "rm -- x* l*; find . -type f", "")
}

func TestFind(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "d/", "d/e/", "d/e/f.txt", "d/g.go", "z => d")
	if err := os.WriteFile("big", make([]byte, 3000), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes("d/g.go", time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	want(t, s, "find", ".\n./big\n./d\n./d/e\n./d/e/f.txt\n./d/g.go\n./z\n")
	want(t, s, "find d -name '*.txt'; find d/ -type d", "d/e/f.txt\nd/\nd/e\n")
	want(t, s, "find . -type l; find -maxdepth 1 -type d; find d -maxdepth 0", "./z\n.\n./d\nd\n")
	want(t, s, "find . -type f -size +1k; find . -size -2c -type f; find . -size 3k -name b*; find d -newer d/g.go -type f", "./big\n./big\nd/e/f.txt\n")
	want(t, s, "cd d; find e", "e\ne/f.txt\n")
	want(t, s, "cd ..; find . -iname '*.TXT'; find . -name '*.TXT'; mkdir d/none; touch d/nothing; find . -empty; find . -empty -type d", "./d/e/f.txt\n./d/none\n./d/nothing\n./d/none\n")
	wantError(t, s, "find nosuch", "nosuch")
	wantError(t, s, "find -exec x", "find: -exec is unknown")
	wantError(t, s, "find . -delete", "find: -delete is unknown")
	wantError(t, s, "find . -type", "find: -type wants a value")
	for _, args := range []string{"-name", "-name [", "-type x", "-size 1x", "-maxdepth -1", "-perm 1", "-newer nosuch", "-size ''"} {
		wantError(t, s, "find . "+args, "find: ")
	}
}

func TestDu(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "d/", "d/e/")
	if err := os.WriteFile("d/e/f", make([]byte, 100<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	out, status := try(t, s, "du -s d; du d | wc -l; du -a d | wc -l; ln d/e/f d/e/g; du -s d")
	lines := strings.Split(out, "\n")
	if status != 0 || len(lines) != 5 || lines[0] != lines[3] || lines[1] != "2" || lines[2] != "3" {
		t.Errorf("du prints %q, status %d", out, status)
	}
	if room, _, _ := strings.Cut(lines[0], " "); len(room) != 3 || room < "100" {
		t.Errorf("du -s of 100 KiB: %q", lines[0])
	}
	wantError(t, s, "du nosuch", "nosuch")
}

func TestChmod(t *testing.T) {
	for _, c := range []struct {
		mode       string
		from, want os.FileMode
	}{
		{"644", 0o777, 0o644},
		{"4755", 0, 0o755 | os.ModeSetuid},
		{"u+x", 0o644, 0o744},
		{"+x", 0o644, 0o755},
		{"go-w", 0o666, 0o644},
		{"a=r", 0o777, 0o444},
		{"u=rwx,g=rx,o=", 0o666, 0o750},
		{"a+X", 0o644, 0o644},
		{"a+X", 0o744, 0o755},
		{"a+X", os.ModeDir | 0o644, 0o755},
		{"+t", 0o777, 0o777 | os.ModeSticky},
		{"u+s,g+s", 0o755, 0o755 | os.ModeSetuid | os.ModeSetgid},
		{"u-s", 0o755 | os.ModeSetuid, 0o755},
		{"-rwx", 0o777, 0},
	} {
		change, err := parseMode(c.mode)
		if err != nil {
			t.Errorf("%s: %v", c.mode, err)
			continue
		}
		if got := change(c.from); got != c.want {
			t.Errorf("%s of %v: got %v, want %v", c.mode, c.from, got, c.want)
		}
	}
	for _, mode := range []string{"", "8", "77777", "u", "q+x", "u+q", "u+x,", "x"} {
		if _, err := parseMode(mode); err == nil {
			t.Errorf("%q is taken", mode)
		}
	}
	s := newTestShell(t)
	makeTree(t, "d/", "d/f", "d/l => nowhere")
	want(t, s, "chmod -R go= d; chmod -w d/f; ls -l d/f | head -c 10", "-r--------")
	want(t, s, "chmod 755 d; ls -ld d | head -c 10", "drwxr-xr-x")
	wantError(t, s, "chmod 644", "usage")
	wantError(t, s, "chmod 644 nosuch", "nosuch")
}

func TestGrep(t *testing.T) {
	s := newTestShell(t)
	if err := os.WriteFile("f", []byte("one\nTwo two\nthree.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("bytes", []byte("x\x00one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	makeTree(t, "d/", "d/one")
	want(t, s, "grep t f", "Two two\nthree.\n")
	want(t, s, "grep -n two f; grep -in TWO f; grep -v -n o f; grep -c o f", "2:Two two\n2:Two two\n3:three.\n2\n")
	want(t, s, "grep -F . f; grep 'e.$' f; grep -o '[Tt]wo' f", "three.\nthree.\nTwo\ntwo\n")
	want(t, s, "grep one f bytes; grep -l one f bytes; grep -r one d", "f:one\nbytes:a file of bytes matches\nf\nbytes\nd/one:d/one\n")
	want(t, s, "cat f | grep -q one && echo yes; grep nosuch f; echo $?", "yes\n1\n")
	want(t, s, "grep -E 'o(n|x)e' f; grep -w tw f; grep -w 'two|on' f; grep -hR one d f; grep -h one f d/one", "one\nTwo two\nd/one\none\none\nd/one\n")
	wantError(t, s, "grep '(' f", "missing closing")
	wantError(t, s, "grep one nosuch", "nosuch")
	var out output
	p := &process{sh: s, dir: cwd(t), ctx: t.Context(), out: &out, width: 80, color: true}
	if err := grep(p, []string{"-n", "w", "f"}); err != nil || out.text.String() != "\x1b[32m2\x1b[0m:T\x1b[1;31mw\x1b[0mo t\x1b[1;31mw\x1b[0mo\n" {
		t.Errorf("grep in colour prints %q, %v", &out.text, err)
	}
}

// TestAsked: every command says what it does where it is asked, and none overlooks an argument that it does not take.
func TestAsked(t *testing.T) {
	s := newTestShell(t)
	for _, c := range commands {
		out, status := try(t, s, c.name+" --help")
		if status != 0 || out != c.usage()+"\n    "+c.about+"\n" {
			t.Errorf("%s --help prints %q, status %d", c.name, out, status)
		}
		if c.args == "" {
			wantError(t, s, c.name+" nothing", c.name+": no arguments are taken (usage: "+c.name+")")
		}
	}
	want(t, s, "wc -h", "wc [-lwc] [FILE...]\n    count lines, words and bytes\n")
	wantError(t, s, "df /tmp", "none by name")
	wantError(t, s, "free x", "no arguments are taken")
}

func TestSmall(t *testing.T) {
	s := newTestShell(t)
	want(t, s, "mkdir -p a/b; rmdir a/b a; ls", "")
	wantError(t, s, "mkdir -p a/b; rmdir a", "directory not empty")
	wantError(t, s, "echo > f; rmdir f", "not a directory")
	wantError(t, s, "rmdir", "no directory")
	want(t, s, "clear", "\x1b[H\x1b[2J\x1b[3J")
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	r := strings.TrimSpace(string(release))
	want(t, s, "uname; uname -rs; uname -m", "Linux\nLinux "+r+"\nx86_64\n")
	want(t, s, "uname -a | wc -l", "1\n")
	wantError(t, s, "uname x", "no arguments are taken but options")
}

func TestTextTools(t *testing.T) {
	s := newTestShell(t)
	want(t, s, "seq 3 | sort -r; seq 9 11 | sort; seq 9 11 | sort -n; seq 0 1; seq 3 1", "3\n2\n1\n10\n11\n9\n9\n10\n11\n0\n1\n")
	want(t, s, "printf 'b\\na\\nb\\n' | sort -u; printf 'a\\na\\nb' | uniq -c", "a\nb\n2 a\n1 b\n")
	want(t, s, "echo a | tee x y; echo b | tee -a x > /dev/null; cat x y", "a\na\nb\na\n")
	want(t, s, "seq 20 | tail -n 2; seq 20 | tail -3 | head -1; seq 20 | tail -c 3; seq 3 | tail -n 9; seq 3 | tail -n 0; seq 9 | head -c 4", "19\n20\n18\n20\n1\n2\n3\n1\n2\n")
	want(t, s, "seq 4 | tail -n +3; seq 2 | tail -n +0; seq 2 | tail -n +9; printf 'a\nb' | tail -n +2", "3\n4\n1\n2\nb")
	wantError(t, s, "tail -n 1x", `-n "1x" is no number of lines`)
	wantError(t, s, "tail -n ++1", `-n "++1" is no number of lines`)
	want(t, s, "printf 'a\\tb\\n' | hexdump -s 1; sleep 0.001; sleep 1ms; date | wc -l; uniq <<< x", "00000000  09 62 0a                                          |.b.|\n1\nx\n")
	for _, line := range []string{"sleep x", "sleep", "sleep -1", "seq x", "seq", "head -n x", "tail -f x y", "uniq a b", "history", "less -Q", "edit", "watch", "watch -n 0 ls", "curl", "ping", "bench -n 0 ls", "mkdir", "ln x"} {
		wantError(t, s, line, strings.Fields(line)[0]+": ")
	}
}

// tail -f follows what is added, also after the file was made shorter or is
// another.
func TestTailFollow(t *testing.T) {
	s := newTestShell(t)
	show := newScreen()
	if err := os.WriteFile("log", []byte("first\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := interp.StdIO(nil, show, show)(s.runner); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- s.script(ctx, strings.NewReader("tail -f log | cat"), "test") }()
	show.wait(t, "first\n")
	add := func(text string, flag int) {
		f, err := os.OpenFile("log", os.O_WRONLY|flag, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
		f.Close()
	}
	add("second\n", os.O_APPEND)
	show.wait(t, "second\n")
	add("3\n", os.O_TRUNC)
	show.wait(t, "3\n")
	if err := os.WriteFile("other", []byte("another\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("other", "log"); err != nil {
		t.Fatal(err)
	}
	show.wait(t, "another\n")
	stop()
	if status := <-ended; status != interrupted {
		t.Errorf("status %d", status)
	}
}

func TestCurl(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Test", "yes")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/no":
			http.Error(w, "nothing here", http.StatusNotFound)
		case "/cut":
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("abc"))
		default:
			body, _ := io.ReadAll(r.Body)
			io.WriteString(w, r.Method+" "+string(body)+r.Header.Get("X-Mine")+"\n")
		}
	}))
	defer server.Close()
	s := newTestShell(t)
	address := strings.TrimPrefix(server.URL, "http://")
	want(t, s, "export U="+address+"; curl $U; curl http://$U/ -X PUT; curl -d 'a=b' $U; curl -H 'X-Mine: m' $U", "GET \nPUT \nPOST a=b\nGET m\n")
	want(t, s, "curl -o f $U; cat f; curl -I $U | grep -c 'X-Test: yes'; curl -i $U | head -1; curl -L $U/moved", "GET \n1\nHTTP/1.1 200 OK\r\nGET \n")
	want(t, s, "curl $U/no; curl -I $U/moved | head -1", "nothing here\nHTTP/1.1 302 Found\r\n")
	wantError(t, s, "curl -f $U/no", "404 Not Found")
	wantError(t, s, "curl $U/cut", "EOF")
	wantError(t, s, "curl -H x $U", "a name, a colon")
	wantError(t, s, "curl http://127.0.0.1:1/", "refused")
	wantError(t, s, "curl 'http://a b/'", "curl: ")
}

func TestPing(t *testing.T) {
	s := newTestShell(t)
	out, status := try(t, s, "ping -c 2 -i 0.1 127.0.0.1")
	if strings.Contains(out, "permi") {
		t.Skip(out) // an ordinary user on a host that has ping only for others
	}
	if status != 0 || !strings.Contains(out, "icmp_seq=1 ") || !strings.Contains(out, "2 sent, 2 received, 0% lost") {
		t.Errorf("ping prints %q, status %d", out, status)
	}
	wantError(t, s, "ping -i 0 127.0.0.1", "interval")
}

func TestBench(t *testing.T) {
	s := newTestShell(t)
	out, status := try(t, s, "bench -n 3 'echo x; true'")
	if status != 0 || !strings.HasPrefix(out, "3 times: least ") {
		t.Errorf("bench prints %q, status %d", out, status)
	}
	wantError(t, s, "bench -n 3 false", "")
	for _, b := range benchmarks {
		ctx, stop := context.WithCancel(t.Context())
		run, err := b.start(ctx, t.TempDir())
		if err == nil {
			err = run(2)
		}
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
		stop()
	}
}

func TestTop(t *testing.T) {
	s := newProcShell(t, map[string]string{
		"uptime": "12.34 6.17\n", "meminfo": "MemTotal: 2048 kB\nMemFree: 1024 kB\n",
		"interrupts": "           CPU0       CPU1\n 48:          1          2   line 4\n", "yolk/fuse": "virtiofs root\n  LOOKUP 5\n", "yolk/virtio": "x\n  sent.frames 7\n",
	})
	out, status := try(t, s, "top -n 1")
	for _, text := range []string{"up 12.34s", "Memory: 2.0 MiB, 1.0 MiB free.", "GOROUTINES IN", "demo.goroutines"} {
		if status != 0 || !strings.Contains(out, text) {
			t.Errorf("top prints %q, status %d, without %q", out, status, text)
		}
	}
	wantError(t, newProcShell(t, nil), "top", "uptime")
	wantError(t, s, "top -d 0", "interval")
	last := reading{counts: map[string]uint64{"Interrupts/line 4": 3, "Interrupts/same": 1}}
	now := reading{counts: map[string]uint64{"Interrupts/line 4": 13, "Interrupts/same": 1, "Interrupts/timer": 40}}
	if got := rates(last, now, "Interrupts/", 2); got != "timer 20, line 4 5" {
		t.Errorf("rates: %q", got)
	}
	for _, c := range []struct {
		line       string
		interrupts bool
		name       string
		n          uint64
		ok         bool
	}{
		{" 48:  1  2   line 4\n", true, "line 4", 3, true},
		{"  CPU0 CPU1\n", true, "", 0, false},
		{" 48:  1\n", true, "", 0, false},
		{"  LOOKUP 5\n", false, "LOOKUP", 5, true},
		{"virtiofs root (virtio-mmio feb00800)\n", false, "", 0, false},
	} {
		name, n, ok := counter(c.line, c.interrupts)
		if ok != c.ok || ok && (name != c.name || n != c.n) {
			t.Errorf("%q: %q, %d, %v", c.line, name, n, ok)
		}
	}
}

// A copy of a tree has what the tree has, links as links, and modes.
func TestCopyTree(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "from/", "from/sub/", "from/sub/a", "from/link => sub", "from/gone => nowhere")
	if err := os.Chmod("from/sub", 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod("from/sub", 0o700)
	want(t, s, "cp -r from to", "")
	defer os.Chmod("to/sub", 0o700)
	for name, target := range map[string]string{"to/link": "sub", "to/gone": "nowhere"} {
		if got, err := os.Readlink(name); err != nil || got != target {
			t.Errorf("%s leads to %q, %v", name, got, err)
		}
	}
	if text, err := os.ReadFile("to/sub/a"); err != nil || string(text) != "from/sub/a\n" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat("to/sub"); err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("%v, %v", info, err)
	}
	want(t, s, "cp -r from to; ls to/from/sub", "a\n")
	os.Chmod("to/from/sub", 0o700)
	if total, err := treeSize(&process{ctx: t.Context(), dir: cwd(t)}, filepath.Join(cwd(t), "from")); err != nil || total != 11 {
		t.Errorf("treeSize: %d, %v", total, err)
	}
}
