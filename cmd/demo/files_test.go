package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// makeTree makes the files of a layout: "d/" a directory, "f" a file with its
// name in it, "a => b" a symbolic link.
func makeTree(t *testing.T, layout ...string) {
	t.Helper()
	for _, l := range layout {
		var err error
		if name, target, ok := strings.Cut(l, " => "); ok {
			err = os.Symlink(target, name)
		} else if dir, ok := strings.CutSuffix(l, "/"); ok {
			err = os.MkdirAll(dir, 0o755)
		} else {
			err = os.WriteFile(l, []byte(l+"\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLs(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "d/", "d/inner/", "d/one", "d/.dot", "f", "l => d", "gone => nowhere")
	want(t, s, "ls", "d\nf\ngone\nl\n")
	want(t, s, "ls d", "inner\none\n")
	want(t, s, "ls -a d", ".dot\ninner\none\n")
	want(t, s, "ls l", "inner\none\n")
	want(t, s, "ls -R", ".:\nd\nf\ngone\nl\n\n./d:\ninner\none\n\n./d/inner:\n")
	want(t, s, "ls -R d/inner f", "f\n\nd/inner:\n")
	want(t, s, "ls f gone d", "f\ngone\n\nd:\ninner\none\n")
	wantError(t, s, "ls nosuch", "nosuch")
	wantError(t, s, "ls no1 no2", "no1: no such file or directory\nls: lstat no2: ")
	wantError(t, s, "ls -Q", "unknown shorthand flag: 'Q' in -Q (usage: ls")
	var out output
	p := &process{sh: s, dir: cwd(t), ctx: t.Context(), out: &out, width: 12}
	if err := ls(p, nil); err != nil || out.text.String() != "d/  gone@\nf   l@\n" {
		t.Errorf("ls on a terminal prints %q, %v", &out.text, err)
	}
	out.text.Reset()
	p.color = true
	if err := ls(p, []string{"-d", "d", "gone", "f"}); err != nil || out.text.String() != "\x1b[1;34md\x1b[0m/  \x1b[1;31mgone\x1b[0m@\nf\n" {
		t.Errorf("ls in colour prints %q, %v", &out.text, err)
	}
	want(t, s, "echo longer > f; ls -S d/one f; ls -rS d/one f; ls -1d d f", "f\nd/one\nd/one\nf\nd\nf\n")

	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.Local)
	if err := os.Chtimes("f", when, when); err != nil {
		t.Fatal(err)
	}
	long, status := try(t, s, "ls -l f l d")
	line := regexp.MustCompile(`(?m)^-rw-r--r--  1  \d+:\d+  7  Feb  3  2001  f\nlrwxrwxrwx  1  \d+:\d+  1  \w{3} [ \d]\d \d\d:\d\d  l -> d\n\nd:\ndrwxr-xr-x  `)
	if runtime.GOOS == "linux" && (status != 0 || !line.MatchString(long)) {
		t.Errorf("ls -l prints %q, status %d", long, status)
	}
}

func TestTree(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "d/", "d/inner/", "d/inner/deep", "d/one", "d/.dot", "z => d")
	want(t, s, "tree", ".\n├── d\n│   ├── inner\n│   │   └── deep\n│   └── one\n└── z -> d\n\n2 directories, 3 files\n")
	want(t, s, "tree -a -L 1 d", "d\n├── .dot\n├── inner\n└── one\n\n1 directories, 2 files\n")
	wantError(t, s, "tree nosuch", "nosuch")
	wantError(t, s, "tree -L x", "invalid argument")
}

func TestStat(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "a file", "l => a file")
	out, status := try(t, s, "stat 'a file' l")
	for _, text := range []string{`File: 'a file'`, `File: l -> 'a file'`, "Mode: -rw-r--r-- (0644)", "regular file", "symbolic link", "Size: 7 bytes", "Modified: 20"} {
		if status != 0 || !strings.Contains(out, text) {
			t.Errorf("stat prints %q, status %d, without %q", out, status, text)
		}
	}
	wantError(t, s, "stat nosuch", "nosuch")
	wantError(t, s, "stat", "no file")
}

func TestModeString(t *testing.T) {
	for mode, want := range map[os.FileMode]string{
		0o644:                                     "-rw-r--r--",
		os.ModeDir | os.ModeSticky | 0o777:        "drwxrwxrwt",
		os.ModeDir | os.ModeSticky | 0o770:        "drwxrwx--T",
		os.ModeSymlink | 0o777:                    "lrwxrwxrwx",
		os.ModeDevice | os.ModeCharDevice | 0o620: "crw--w----",
		os.ModeDevice | 0o600:                     "brw-------",
		os.ModeNamedPipe | 0o1:                    "p--------x",
		os.ModeSocket | os.ModeSetuid | 0o700:     "srws------",
		os.ModeSetuid | os.ModeSetgid | 0o654:     "-rwSr-sr--",
	} {
		if got := modeString(mode); got != want {
			t.Errorf("%v: got %s, want %s", mode, got, want)
		}
	}
}

func TestReading(t *testing.T) {
	s := newTestShell(t)
	if err := os.WriteFile("lines", []byte("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11"), 0o600); err != nil {
		t.Fatal(err)
	}
	makeTree(t, "f", "d/")
	want(t, s, "cat f lines | head -n 3", "f\n1\n2\n")
	want(t, s, "head lines | wc", "10  10  21\n")
	want(t, s, "head -n 99 lines f", "==> lines <==\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11==> f <==\nf\n")
	want(t, s, "wc f lines", " 1   1   2  f\n10  11  23  lines\n11  12  25  total\n")
	want(t, s, "wc -l < lines; wc -cw f", "10\n1  2  f\n")
	want(t, s, "hexdump -n 3 lines", "00000000  31 0a 32                                          |1.2|\n")
	want(t, s, "cat -n f lines | head -2; cat f | cat -n", "     1\tf\n     2\t1\n     1\tf\n")
	wantError(t, s, "cat d", "directory")
	wantError(t, s, "head -n x f", "invalid argument")
}

func TestSum(t *testing.T) {
	s := newTestShell(t)
	makeTree(t, "d/", "d/a b", "d/c")
	if out, status := try(t, s, "cd d; sum 'a b' c > LIST; cd ..; sum -c d/LIST"); status != 0 || out != "a b: ok\nc: ok\n" {
		t.Errorf("sum -c prints %q, status %d", out, status)
	}
	want(t, s, "echo -n '' | sum", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n")
	makeTree(t, "d/c", "bad")
	if err := os.WriteFile("d/a b", []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, s, "sum -c d/LIST", "1 of 2 files")
	os.Remove("d/a b")
	wantError(t, s, "sum -c d/LIST", "1 of 2 files")
	wantError(t, s, "sum -c bad", "line 1")
}

func TestChanging(t *testing.T) {
	s := newTestShell(t)
	want(t, s, "mkdir d; mkdir -p e/f/g; echo 'hello wide  world' > d/x; cat d/x", "hello wide  world\n")
	want(t, s, "touch d/new; wc d/new", "0  0  0  d/new\n")
	want(t, s, "cp d/x e; cat e/x", "hello wide  world\n")
	want(t, s, "cp -r d copy; ls copy", "new\nx\n")
	want(t, s, "mv d/x y; mv y e/f; ls e/f", "g\ny\n")
	want(t, s, "ln -s e/f link; ls link; ln e/x hard; cat hard", "g\ny\nhello wide  world\n")
	want(t, s, "cp -R d capital; ls capital; rm -R capital", "new\n")
	want(t, s, "rm -r copy e; rm -f nosuch; ls", "d\nhard\nlink\n")
	want(t, s, "cd d; pwd | wc; cd ..", "1  1  "+number(len(cwd(t))+len("/d\n"))+"\n")
	wantError(t, s, "cat link/y", "no such file")
	wantError(t, s, "mkdir d", "exists")
	wantError(t, s, "rm d", "-r removes it")
	wantError(t, s, "cp d x", "-r copies it")
	wantError(t, s, "cp -r d d/inner", "into itself")
	wantError(t, s, "cp hard ./hard", "one file")
	wantError(t, s, "cp hard", "usage: cp")
	wantError(t, s, "cp hard link hard", "no directory")
	for _, path := range []string{"/", ".", "..", "d/..", "./", "../../"} {
		wantError(t, s, "rm -r "+path, "nobody means that")
	}
	want(t, s, "cat hard", "hello wide  world\n")
}

func cwd(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Clean(dir)
}
