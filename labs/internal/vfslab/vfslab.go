// Package vfslab is the given part of lab 5: it mounts the student's file system, and
// looks at it through system calls.
package vfslab

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// What the file system has: numbers from 1 to Max, of which the root lists the first
// Listed.
const (
	Max    = 1_000_000
	Listed = 100
)

// Main is the lab's main function; make makes the student's file system.
func Main(make func() fs.FileSystem) {
	p := lab.Program{
		Hosted: func(r *report.Report) { checkHosted(r, make) },
		Guest: func(r *report.Report) {
			if err := mount(make); err != nil {
				r.Fail(err.Error(), "")
				return
			}
			Check(r, "on the machine: ", guestTree("/numbers"))
			if r.Failed() {
				return
			}
			_, err := os.Stat("/beside.txt")
			if _, hidden := os.Stat("/numbers/hidden.txt"); err != nil || hidden == nil {
				r.Fail(fmt.Sprintf("the share of the host is not beside it: %v, %v", err, hidden), "")
				return
			}
			r.OK("mounted at /numbers, beside the share of the host")
		},
		Show: func() error { return show(make) },
	}
	p.Main()
}

// show walks from 27 on.
func show(make func() fs.FileSystem) error {
	if err := mount(make); err != nil {
		return err
	}
	dir := "/numbers/27"
	for range 5 {
		square, err := os.ReadFile(filepath.Join(dir, "square"))
		if err != nil {
			return err
		}
		at, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n  is %s, whose square is %s", dir, at, square)
		dir += "/next"
	}
	return nil
}
