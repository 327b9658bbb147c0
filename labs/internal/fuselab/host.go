//go:build !tamago

package fuselab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
	"github.com/yolkos/yolk/qemu/passthrough"
)

func share() ([][]byte, fuse.Transport, error) {
	return nil, nil, errors.New("this is no machine of its own")
}

// checkHosted tries connect on the server that is built into yolk, with a spy between.
func checkHosted(r *report.Report, connect Connect) {
	dir, err := os.MkdirTemp("", "yolk-lab-")
	if err != nil {
		r.Fail(err.Error(), "")
		return
	}
	defer os.RemoveAll(dir)
	if err := populate(dir); err != nil {
		r.Fail(err.Error(), "")
		return
	}
	server, err := passthrough.New(dir, passthrough.Options{Valid: time.Second})
	if err != nil {
		r.Fail(err.Error(), "")
		return
	}
	defer server.Close()
	Check(r, connect, func(in, out [][]byte) int { return server.Handle(in, out, func() {}) })
}

// big is the contents of a file that takes several READs.
var big = bytes.Repeat([]byte("all work and no play makes "), 20_000)

func populate(dir string) error {
	err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755)
	for name, text := range map[string][]byte{
		"hello.txt": []byte("hello\n"), "a/b/deep.txt": []byte("deep\n"), "empty": nil, "big": big,
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	return err
}

// Check tries connect on a server.
func Check(r *report.Report, connect Connect, handle func(in, out [][]byte) int) {
	s := newSpy(handle)
	var c Client
	lab.Try(r, "", func() {
		var err error
		c, err = connect(s)
		switch {
		case s.broken(r):
		case err != nil:
			r.Fail(fmt.Sprintf("connect: %v", err), "TODO 1 and 2.")
		case !s.inited:
			r.Fail("connect has returned, and the server has had no INIT.", "TODO 2: INIT is the first message of a session. Its nodeid is 0.")
		}
	})
	if r.Failed() {
		return
	}
	r.OK("INIT: protocol 7.%d", s.minor)
	for _, f := range []struct {
		name, about, hint string
		want              []byte
	}{
		{"hello.txt", "a file in the root", "TODO 3: the name, in node 1. TODO 4: READ until one returns nothing, each at the Offset behind the last.", []byte("hello\n")},
		{"a/b/deep.txt", "a file two directories down", "TODO 5: one LOOKUP for each name, each in the node that the one before has returned.", []byte("deep\n")},
		{"empty", "an empty file", "TODO 4: a READ that returns nothing is the end of the file.", nil},
		{"big", "a file of 540000 bytes", "TODO 4: READ after READ, each behind the last, until one returns nothing.", big},
	} {
		lab.Try(r, f.hint, func() {
			got, err := c.ReadFile(f.name)
			switch {
			case s.broken(r):
			case err != nil:
				r.Fail(fmt.Sprintf("%s: ReadFile(%q): %v", f.about, f.name, err), f.hint)
			case same(r, f.about, got, f.want, f.hint) && len(s.open) > 0:
				r.Fail(fmt.Sprintf("%s: after ReadFile the server still has a handle open.", f.about), "TODO 4: RELEASE gives the handle back, also after an error.")
			case !r.Failed():
				r.OK("%s", f.about)
			}
		})
		if r.Failed() {
			return
		}
	}
	for _, check := range []func(*report.Report, Client, *spy){checkMissing, checkFailure, checkStranger} {
		lab.Try(r, "", func() { check(r, c, s) })
		if r.Failed() {
			return
		}
	}
}

func checkMissing(r *report.Report, c Client, s *spy) {
	const hint = "TODO 1: a server answers with a negative errno in the header. syscall.Errno(-h.Error) is an error."
	for _, negative := range []bool{false, true} {
		s.negative = negative
		_, err := c.ReadFile("nobody")
		switch {
		case s.broken(r):
			return
		case err == nil && negative:
			r.Fail("a name that does not exist was read without an error: the server has answered with nodeid 0.", "TODO 3: a nodeid of 0 says that the name does not exist: ENOENT.")
			return
		case err == nil:
			r.Fail("a name that does not exist was read without an error.", hint)
			return
		case !errors.Is(err, syscall.ENOENT):
			r.Fail(fmt.Sprintf("a name that does not exist: the error is %q, and should be ENOENT.", err), hint)
			return
		}
	}
	s.negative = false
	r.OK("a file that does not exist: ENOENT")
}

// checkFailure has a READ fail.
func checkFailure(r *report.Report, c Client, s *spy) {
	s.failRead = true
	_, err := c.ReadFile("hello.txt")
	s.failRead = false
	switch {
	case s.broken(r):
	case !errors.Is(err, syscall.EIO):
		r.Fail(fmt.Sprintf("READ fails with EIO, and ReadFile returns the error %v.", err), "TODO 4: an error of READ is ReadFile's.")
	case len(s.open) > 0:
		r.Fail("READ fails, and the server still has a handle open.", "TODO 4: RELEASE gives the handle back, also after an error: defer.")
	default:
		r.OK("a READ that fails")
	}
}

// checkStranger has the server answer nonsense.
func checkStranger(r *report.Report, c Client, s *spy) {
	for _, n := range []struct {
		about string
		spoil func(reply []byte) []byte
	}{
		{"a reply of 8 bytes", func(b []byte) []byte { return b[:8] }},
		{"a reply to another request", func(b []byte) []byte { b[8] ^= 0xff; return b }},
		{"a reply whose length is not what the header says", func(b []byte) []byte { b[0]++; return b }},
		{"a reply without its structure", func(b []byte) []byte { b[0], b[1] = fuse.OutHeaderSize+4, 0; return b[:fuse.OutHeaderSize+4] }},
	} {
		s.spoil = n.spoil
		_, err := c.ReadFile("hello.txt")
		s.spoil = nil
		if err == nil {
			r.Fail(n.about+" was taken for right.", "TODO 1: a server is a stranger: check how many bytes came, what the header says of the length, and unique. Decode tells if a structure is too short.")
			return
		}
	}
	r.OK("replies that make no sense")
}
