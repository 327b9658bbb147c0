// Package load tells what processes cost the host.
package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Children is the CPU time of all descendants of this process that still run.
func Children() time.Duration { return cpuBelow(os.Getpid()) }

func cpuBelow(pid int) (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, thread := range threads {
		// A thread may have ended meanwhile.
		data, _ := os.ReadFile(filepath.Join(thread, "children"))
		for _, f := range strings.Fields(string(data)) {
			child, _ := strconv.Atoi(f)
			sum += cpuOf(child) + cpuBelow(child)
		}
	}
	return sum
}

func cpuOf(pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range files {
		data, _ := os.ReadFile(file)
		sum += cpuTime(string(data))
	}
	return sum
}

// cpuTime reads the time on the CPU, the first field of a schedstat file, in ns
// (Documentation/scheduler/sched-stats.rst).
func cpuTime(schedstat string) time.Duration {
	field, _, _ := strings.Cut(schedstat, " ")
	ns, _ := strconv.ParseInt(field, 10, 64)
	return time.Duration(ns)
}
