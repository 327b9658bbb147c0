package qemu

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hostReserve is how many open files of the host a server leaves to others.
const hostReserve = 16384

// fileLimit returns how many descriptors a server may have that this process
// starts: as many as the host's settings allow, or the limit of this process
// where that is not for it to raise.
func fileLimit() uint64 {
	want := min(setting("fs/nr_open"), max(setting("fs/file-max"), 2*hostReserve)-hostReserve)
	var own unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &own) != nil || own.Max >= want {
		return own.Max
	}
	if unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: own.Cur, Max: want}, nil) != nil {
		return own.Max
	}
	// It was only to see whether it can be done.
	_ = unix.Prlimit(0, unix.RLIMIT_NOFILE, &own, nil)
	return want
}

// setting reads a number from /proc/sys; 0 if there is none.
func setting(name string) uint64 {
	data, _ := os.ReadFile("/proc/sys/" + name)
	n, _ := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n
}
