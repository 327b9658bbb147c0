// Package fuselab is the given part of lab 4: servers of FUSE that look at every byte
// of a request.
package fuselab

import (
	"fmt"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Client is what the student's connect returns.
type Client interface {
	// ReadFile returns the contents of a file of the share, such as "letters/hello.txt".
	ReadFile(path string) ([]byte, error)
}

// Connect is what the student writes.
type Connect func(t fuse.Transport) (Client, error)

// The files of labs/4/share.
var files = []string{"letters/hello.txt", "numbers.txt"}

// Main is the lab's main function.
func Main(connect Connect) {
	p := lab.Program{
		Hosted: func(r *report.Report) { checkHosted(r, connect) },
		Guest:  func(r *report.Report) { checkShare(r, connect) },
		Show: func() error {
			_, t, err := share()
			if err != nil {
				return err
			}
			c, err := connect(t)
			if err != nil {
				return err
			}
			text, err := c.ReadFile(files[0])
			fmt.Printf("%s: %s", t.Name(), text)
			return err
		},
	}
	p.Main()
}

// checkShare reads files of a real share, and compares them with what the kernel has
// read of it.
func checkShare(r *report.Report, connect Connect) {
	want, t, err := share()
	if err != nil {
		r.Fail(err.Error(), "")
		return
	}
	c, err := connect(t)
	if err != nil {
		r.Fail(fmt.Sprintf("the real server (%s): connect: %v", t.Name(), err), "")
		return
	}
	for i, name := range files {
		got, err := c.ReadFile(name)
		if err != nil {
			r.Fail(fmt.Sprintf("the real server (%s): %s: %v", t.Name(), name, err), "")
			return
		}
		if !same(r, "the real server ("+t.Name()+"): "+name, got, want[i], "") {
			return
		}
		r.OK("%s: %s, %d bytes, the same as Yolk's own client has read", t.Name(), name, len(got))
	}
}

// same reports the first difference between two contents.
func same(r *report.Report, about string, got, want []byte, hint string) bool {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	switch {
	case n == len(got) && n == len(want):
		return true
	case n == len(got):
		r.Fail(fmt.Sprintf("%s: the file has %d bytes, and only %d were read.", about, len(want), len(got)), hint)
	case n == len(want):
		r.Fail(fmt.Sprintf("%s: the file has %d bytes, and %d were read.", about, len(want), len(got)), hint)
	default:
		r.Fail(fmt.Sprintf("%s: byte %d is %q, and should be %q.", about, n, got[n:min(n+16, len(got))], want[n:min(n+16, len(want))]), hint)
	}
	return false
}
