package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMark: a student with the solution passes, one with the skeleton does not yet, and
// one without a file is missing. Changes elsewhere in a clone do not count.
func TestMark(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots a guest: set YOLK_GUEST=1")
	}
	t.Chdir("../..")
	class := t.TempDir()
	for student, from := range map[string]string{"ada": "labs/solutions/1", "bob": "labs/1"} {
		to := filepath.Join(class, student, "labs", "1")
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		check := filepath.Join(class, student, "labs", "check")
		if err := os.MkdirAll(check, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(check, "main.go"), []byte("package main\nfunc main() { println(\"PASS\") }\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(class, "eve"), 0o755); err != nil {
		t.Fatal(err)
	}
	output, logs := filepath.Join(class, "marks.csv"), filepath.Join(class, "logs")
	failed, err := run([]string{"1"}, []string{filepath.Join(class, "ada"), filepath.Join(class, "bob"), filepath.Join(class, "eve")}, output, logs)
	if failed || err != nil {
		t.Fatal(failed, err)
	}
	table, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	want := "student,lab,verdict,right,wrong,first wrong\nada,1,pass,7,0,\nbob,1,not yet,1,1,PML4[0] is 0: it leads nowhere.\neve,1,missing,0,0,\n"
	if string(table) != want {
		t.Errorf("got\n%swant\n%s", table, want)
	}
	text, err := os.ReadFile(filepath.Join(logs, "bob-1.txt"))
	if err != nil || !strings.Contains(string(text), "Hint: TODO 1") {
		t.Errorf("log %v:\n%s", err, text)
	}
	if left, _ := filepath.Glob("labs/_mark-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestRead: the check's status counts, and not what a program prints.
func TestRead(t *testing.T) {
	var m result
	m.read("PASS: all 9 checks are right.\n", os.ErrClosed)
	if m.verdict == "pass" {
		t.Error("a check that failed passes")
	}
	m = result{}
	m.read("no verdict\n", nil)
	if m.verdict == "pass" {
		t.Error("a check without a verdict passes")
	}
}
