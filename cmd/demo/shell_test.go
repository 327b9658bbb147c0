package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"mvdan.cc/sh/v3/interp"
)

// output is a buffer that the commands of a pipeline share.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// try runs a text in a shell and returns what it prints.
func try(t *testing.T, sh *shell, text string) (out string, status int) {
	t.Helper()
	var b output
	if err := interp.StdIO(strings.NewReader("input\n"), &b, &b)(sh.runner); err != nil {
		t.Fatal(err)
	}
	sh.errs = &b
	status = sh.script(context.Background(), strings.NewReader(text), "test")
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String(), status
}

// want runs a text that prints out and does not fail.
func want(t *testing.T, sh *shell, text, out string) {
	t.Helper()
	if got, status := try(t, sh, text); status != 0 || got != out {
		t.Errorf("%s\nprints %q, status %d\nwant   %q", text, got, status, out)
	}
}

// wantError runs a text that fails and prints text.
func wantError(t *testing.T, sh *shell, line, text string) {
	t.Helper()
	if got, status := try(t, sh, line); status == 0 || !strings.Contains(got, text) {
		t.Errorf("%s\nprints %q, status %d\nwant an error with %q", line, got, status, text)
	}
}

// newTestShell makes a shell in a directory of its own, which is the current one,
// too.
func newTestShell(t *testing.T) *shell {
	t.Chdir(t.TempDir())
	sh, err := newShell("", nil, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ text, out string }{
		{"", ""},
		{"echo a 'b  c' | cat | wc", "1  3  7\n"},
		{"cat", "input\n"},
		{"cat | cat -", "input\n"},
		{"echo one > f; echo two >> f; cat f; cat < f | wc -l", "one\ntwo\n2\n"},
		{"cat nosuch 2> errors; wc -l < errors", "1\n"},
		{"(echo out; nosuch) > both 2>&1; cat both", "out\nnosuch: no such command; help lists them\n"},
		{"v='a  b'; echo $v \"$v\" ${v#a} ${#v} $((6*7))", "a b a  b b 4 42\n"},
		{"touch b.txt a.txt 'c d.txt' .e.txt; echo *.txt [ab].* no*such", "a.txt b.txt c d.txt a.txt b.txt no*such\n"},
		{"mkdir -p d/e; touch d/e/x; shopt -s globstar; echo **/x; cd d; echo e/*", "d/e/x\ne/x\n"},
		{"true && echo and; false || echo or; ! false; echo $?", "and\nor\n0\n"},
		{"false; echo $?; nosuch 2>/dev/null; echo $?; ls -Q 2>/dev/null; echo $?", "1\n127\n2\n"},
		{"f() { local n=$1; echo $n $#; return 3; }; f x y; echo $?", "x 2\n3\n"},
		{"for i in 1 2 3; do if test $i = 2; then continue; fi; echo $i; done", "1\n3\n"},
		{"n=0; while [ $n -lt 2 ]; do n=$((n+1)); done; echo $n", "2\n"},
		{"case abc in a*) echo yes;; *) echo no;; esac", "yes\n"},
		{"cat <<END | wc -l\n$HOME\n`echo x`\nEND\n", "2\n"},
		{"cat <<'END'\n$HOME\nEND\n", "$HOME\n"},
		{"cat <<< word", "word\n"},
		{"echo $(echo in | cat) `echo old`", "in old\n"},
		{"export V=1; W=2; env | grep -c '^[VW]='; sh -c 'echo $V$W'; X=3 sh -c 'echo $X'", "1\n1\n3\n"},
		{"mkdir sub; (cd sub; pwd | grep -o '/sub$'; echo in > file); ls sub; cat sub/file", "/sub\nfile\nin\n"},
		{"(cd /; exit 4); echo $?; sh -c 'exit 5'; echo $?", "4\n5\n"},
		{"echo 'echo script $0 $1; exit 6' > s; sh s arg; echo $?", "script s arg\n6\n"},
		{"echo 'x=$1; y() { echo $x; }' > lib; source ./lib 7; y", "7\n"},
		{"set -- a 'b c'; for i in \"$@\"; do echo $i; done; shift; echo $#", "a\nb c\n1\n"},
		{"printf '%s-%d\\n' a 1 b 2; echo -n x; echo -e '\\ty'", "a-1\nb-2\nx\ty\n"},
		{"{ sleep 0.01; echo late; } & wait; echo $?", "late\n0\n"},
		{"read a b <<< 'one two three'; echo $b", "two three\n"},
		{"alias l='ls'\ntouch x; l", "x\n"},
		{"echo a | while read x; do echo got $x; done", "got a\n"},
		{"set -o pipefail; false | true; echo $?", "1\n"},
		{"trap 'echo bye' EXIT; echo hi", "hi\nbye\n"},
		{"echo {a,b}{1,2} ~ | wc -w; cat <(echo proc)", "5\nproc\n"},
	} {
		want(t, newTestShell(t), c.text, c.out)
	}
}

func TestLanguageErrors(t *testing.T) {
	sh := newTestShell(t)
	for line, text := range map[string]string{
		"nosuch":                       "nosuch: no such command; help lists them",
		"./nosuch":                     "no such file",
		"echo a |":                     "must be followed by a statement",
		"echo 'a":                      "without closing quote",
		"cat < nosuch":                 "nosuch: no such file",
		"echo a > no/such":             "no/such: no such file",
		"cat nosuch | cat; cat nosuch": "cat: open nosuch: no such file",
		"ls -Q":                        "(usage: ls",
		"set -u; echo $no":             "unbound variable",
		"exit 9":                       "",
	} {
		wantError(t, sh, line, text)
	}
}

// A command that nobody listens to any more ends.
func TestPipelineEndsEarly(t *testing.T) {
	sh := newTestShell(t)
	if err := os.WriteFile("big", bytes.Repeat([]byte("line\n"), 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, sh, "cat big | cat | head -n 2", "line\nline\n")
	want(t, sh, "yes | head -n 1", "y\n")
	want(t, sh, "yes a b | cat | head -c 6; seq 1 99999999 | head -n 1", "a b\na 1\n")
	want(t, sh, "find / 2>/dev/null | head -n 1; tree / 2>/dev/null | head -n 1; hexdump /dev/zero | head -n 1 | wc -l; seq 9999 | sort | head -n 1", "/\n/\n1\n1\n")
	want(t, sh, "while true; do echo y; done | head -n 1; f() { while :; do printf 'f\\n'; done; }; f | head -n 1; echo on", "y\nf\non\n")
	want(t, sh, "echo 'while true; do echo s; done' > s; sh s | head -n 1; (while true; do echo t; done) | cat | head -n 1", "s\nt\n")
	want(t, sh, "set -o pipefail; yes | head -n 1; echo $?", "y\n141\n")
}

// Scripts run here, programs do not, and say why.
func TestScripts(t *testing.T) {
	sh := newTestShell(t)
	for name, text := range map[string]string{
		"plain": "echo plain $1", "sh": "#!/bin/sh\necho sh $#", "env": "#! /usr/bin/env bash\necho env; exit 3",
		"python": "#!/usr/bin/python3\n", "elf": "\x7fELF\x00\x01", "wrong": "echo 'a",
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("mode", []byte("echo no"), 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, sh, "./plain a", "plain a\n")
	want(t, sh, "./sh a b; PATH=$PWD; plain b", "sh 2\nplain b\n")
	want(t, sh, "./env; echo $?", "env\n3\n")
	wantError(t, sh, "./python", "there are no processes")
	wantError(t, sh, "./elf", "there are no processes")
	wantError(t, sh, "./mode", "not an executable file")
	wantError(t, sh, "./wrong", "without closing quote")
	want(t, sh, "sh mode", "no\n")
}

// What comes on standard input runs as it comes.
func TestStream(t *testing.T) {
	sh := newTestShell(t)
	var out output
	if err := interp.StdIO(nil, &out, &out)(sh.runner); err != nil {
		t.Fatal(err)
	}
	sh.errs = &out
	for _, c := range []struct {
		text, out string
		status    int
	}{
		{"echo a\n\n# nothing\necho b", "a\nb\n", 0},
		{"echo a\nexit 3\necho b\n", "a\n", 3},
		{"echo a\nnosuch\ncat\necho b\nfalse", "a\nnosuch: no such command; help lists them\nb\n", 1},
		{"echo a\necho 'b", "a\n2:6: reached EOF without closing quote `'`\n", 2},
		{"trap 'echo bye' EXIT; false", "bye\n", 1},
	} {
		out.text.Reset()
		if status := sh.stream(t.Context(), strings.NewReader(c.text)); status != c.status || out.text.String() != c.out {
			t.Errorf("%q: %q, status %d, want %q, %d", c.text, &out.text, status, c.out, c.status)
		}
	}
}

func TestExit(t *testing.T) {
	for line, want := range map[string]int{"exit": 0, "false; exit": 1, "exit 7; echo no": 7, "(exit 4)": 4, "echo a; exit 255": 255} {
		out, status := try(t, newTestShell(t), line)
		if status != want || strings.Contains(out, "no") {
			t.Errorf("%s: status %d, want %d, and %q", line, status, want, out)
		}
	}
}

// A command that fails badly ends, and nothing else does.
func TestPanic(t *testing.T) {
	old := groups
	defer func() { groups = old; commands = commands[:len(commands)-1] }()
	commands = append(commands, command{"boom", "", "", func(*process, []string) error { panic("no good") }})
	sh := newTestShell(t)
	out, status := try(t, sh, "boom; echo $?")
	if status != 0 || !strings.HasPrefix(out, "boom: panic: no good\n") || !strings.HasSuffix(out, "\n1\n") {
		t.Errorf("%q, status %d", out, status)
	}
}

func TestHelpKnowsAll(t *testing.T) {
	sh := newTestShell(t)
	out, _ := try(t, sh, "help")
	for _, c := range commands {
		if !strings.Contains(out, "\n  "+c.name+" ") {
			t.Errorf("help does not list %s", c.name)
		}
	}
	for _, name := range builtins {
		if _, status := try(t, sh, "type "+name); status != 0 {
			t.Errorf("%s is listed, but the interpreter does not know it", name)
		}
	}
	want(t, sh, "help sleep", "sleep SECONDS\n    wait\n")
	wantError(t, sh, "help nosuch", "no such command")
	if out, status := try(t, sh, "help cd"); status != 0 || !strings.HasPrefix(out, "cd: ") {
		t.Errorf("help cd prints %q, status %d", out, status)
	}
}

func TestPrompt(t *testing.T) {
	for dir, want := range map[string]string{
		"/": "demo:/> ", "/яйцо 卵": "demo:/яйцо 卵> ", "/a\nb\x1b[31m": "demo:/a?b?[31m> ", "/\u200b\u202e\xff": "demo:/???> ",
		"/" + strings.Repeat("x", 100): "demo:…" + strings.Repeat("x", 39) + "> ",
	} {
		if got := promptFor(dir); got != want {
			t.Errorf("%q: got %q, want %q", dir, got, want)
		}
	}
}
