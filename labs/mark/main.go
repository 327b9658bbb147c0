// Command mark runs the checks of the labs on the work of many students:
//
//	go run ./labs/mark [-labs 1,2,3] [-o marks.csv] [-logs DIR] CLONE...
//
// Each CLONE is a student's copy of this repository, or of its directory labs alone;
// its name is the student's. Of labs/N only the program's own files are taken, and
// checked in this tree: with its checks, whatever the student has changed elsewhere.
//
// The table has a line for each student and lab: "pass", "not yet" with the number of
// checks that are right and what the first wrong one says, "missing", or "error", where
// it could not be checked. What the check has said goes to a file in -logs. The status
// is 0 unless there was an error.
package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// result is what came out for a student's lab.
type result struct {
	student, lab, verdict string
	right, wrong          int
	first                 string // what the first wrong check says
}

func main() {
	labs := flag.String("labs", "1,2,3,4,5,6", "numbers of the labs, with commas between them")
	output := flag.String("o", "", "file for the table; standard output if it is not given")
	logs := flag.String("logs", "", "directory for what the checks say")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./labs/mark [-labs 1,2,3] [-o marks.csv] [-logs DIR] CLONE...")
		os.Exit(2)
	}
	failed, err := run(strings.Split(*labs, ","), flag.Args(), *output, *logs)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mark: %v\n", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func run(labs, clones []string, output, logs string) (failed bool, err error) {
	w := io.Writer(os.Stdout)
	if output != "" {
		f, err := os.Create(output)
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	if logs != "" {
		if err := os.MkdirAll(logs, 0o755); err != nil {
			return false, err
		}
	}
	dir, err := os.MkdirTemp("", "yolk-mark-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	check := filepath.Join(dir, "check")
	if out, err := exec.Command("go", "build", "-o", check, "./labs/check").CombinedOutput(); err != nil {
		return false, fmt.Errorf("mark runs in the top directory of this repository: %w\n%s", err, out)
	}
	table := csv.NewWriter(w)
	table.Write([]string{"student", "lab", "verdict", "right", "wrong", "first wrong"})
	for _, clone := range clones {
		for _, lab := range labs {
			m, text := mark(check, clone, lab)
			failed = failed || m.verdict == "error"
			table.Write([]string{m.student, m.lab, m.verdict, strconv.Itoa(m.right), strconv.Itoa(m.wrong), m.first})
			table.Flush() // it may take long
			if logs != "" {
				if err := os.WriteFile(filepath.Join(logs, m.student+"-"+lab+".txt"), []byte(text), 0o644); err != nil {
					return failed, err
				}
			}
		}
	}
	return failed, table.Error()
}

// mark checks one lab of one student.
func mark(check, clone, lab string) (m result, text string) {
	abs, err := filepath.Abs(clone)
	m = result{student: filepath.Base(abs), lab: lab, verdict: "error"}
	if err != nil {
		return m, err.Error()
	}
	if _, err := os.Stat(filepath.Join("labs", lab, "README.md")); err != nil {
		m.first = fmt.Sprintf("there is no lab %q", lab)
		return m, m.first
	}
	dir, found, err := take(abs, lab)
	if dir != "" {
		defer os.RemoveAll(dir)
	}
	switch {
	case err != nil:
		m.first = err.Error()
		return m, m.first
	case !found:
		m.verdict = "missing"
		return m, ""
	}
	out, err := exec.Command(check, lab, dir).CombinedOutput()
	m.read(string(out), err)
	return m, string(out)
}

// take copies the files of a student's lab into a directory of this module, which
// the go command's ... does not see.
func take(clone, lab string) (dir string, found bool, err error) {
	var names []string
	for _, from := range []string{filepath.Join(clone, "labs", lab), filepath.Join(clone, lab)} {
		for _, pattern := range []string{"*.go", "*.s"} {
			list, err := filepath.Glob(filepath.Join(from, pattern))
			if err != nil {
				return "", false, err
			}
			names = append(names, list...)
		}
		if len(names) > 0 {
			break
		}
	}
	if len(names) == 0 {
		return "", false, nil
	}
	if dir, err = os.MkdirTemp("labs", "_mark-"); err != nil {
		return "", false, err
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		if err != nil {
			return dir, false, err
		}
		if !info.Mode().IsRegular() {
			return dir, false, fmt.Errorf("%s is no regular file", name)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return dir, false, err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o644); err != nil {
			return dir, false, err
		}
	}
	return dir, true, nil
}

var (
	passed = regexp.MustCompile(`(?m)^PASS: all (\d+) checks`)
	notYet = regexp.MustCompile(`(?m)^NOT YET: (\d+) checks right, (\d+) wrong`)
	wrong  = regexp.MustCompile(`(?m)^  WRONG (.*)$`)
)

// read takes the verdict from what the check has said. Only its status says that all
// is right: a program may print what it likes.
func (m *result) read(text string, err error) {
	last := func(re *regexp.Regexp) []string {
		all := re.FindAllStringSubmatch(text, -1)
		if len(all) == 0 {
			return nil
		}
		return all[len(all)-1]
	}
	var exit *exec.ExitError
	switch {
	case err == nil && last(passed) != nil:
		m.verdict = "pass"
		m.right, _ = strconv.Atoi(last(passed)[1])
	case errors.As(err, &exit) && exit.ExitCode() == 1 && last(notYet) != nil:
		m.verdict = "not yet"
		m.right, _ = strconv.Atoi(last(notYet)[1])
		m.wrong, _ = strconv.Atoi(last(notYet)[2])
		if w := wrong.FindStringSubmatch(text); w != nil {
			m.first = w[1]
		}
	default:
		m.first = fmt.Sprint(err)
	}
}
