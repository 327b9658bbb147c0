//go:build tamago

package os_test

import (
	"bytes"
	"internal/poll"
	"io"
	. "os"
	"path/filepath"
	"testing"
)

// What readfrom_unix_test.go needs to watch the copying of files.

var (
	copyFileTests = []copyFileTestFunc{watchedCopy}
	copyFileHooks = []copyFileTestHook{watchCopy}
)

func testCopyFiles(t *testing.T, size, limit int64) {
	dst, src, data, hook, name := watchedCopy(t, size)
	testCopyFile(t, dst, src, data, hook, limit, name)
}

func watchedCopy(t *testing.T, size int64) (dst, src *File, data []byte, hook *copyFileHook, name string) {
	dst, src, data = newCopyFileTest(t, size)
	hook, name = watchCopy(t)
	return dst, src, data, hook, name
}

func watchCopy(t *testing.T) (*copyFileHook, string) {
	hook := new(copyFileHook)
	real := *PollCopyFileRangeP
	t.Cleanup(func() { *PollCopyFileRangeP = real })
	*PollCopyFileRangeP = func(dst, src *poll.FD, remain int64) (int64, bool, error) {
		hook.called, hook.dstfd, hook.srcfd = true, dst.Sysfd, src.Sysfd
		hook.written, hook.handled, hook.err = real(dst, src, remain)
		return hook.written, hook.handled, hook.err
	}
	return hook, "hookCopyFileRange"
}

// TestCopyFromProc copies a file whose size is 0 and that has content, for
// which a copy by size alone would be empty.
func TestCopyFromProc(t *testing.T) {
	const name = "/proc/self/cmdline"
	want, err := ReadFile(name)
	if err != nil || len(want) == 0 {
		t.Fatalf("%s: %q, %v", name, want, err)
	}
	src, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(dst, src); err != nil || n != int64(len(want)) {
		t.Errorf("Copy: %d, %v, want %d bytes", n, err, len(want))
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(dst.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("copy: %q, %v, want %q", got, err, want)
	}
}
