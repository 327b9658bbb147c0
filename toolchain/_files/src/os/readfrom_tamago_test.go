//go:build tamago

package os_test

import (
	"internal/poll"
	. "os"
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
