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
	for _, child := range childrenOf(pid) {
		sum += cpuOf(child) + cpuBelow(child)
	}
	return sum
}

// childrenOf are the processes that the threads of a process have started.
func childrenOf(pid int) (list []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, thread := range threads {
		// A thread may have ended meanwhile.
		data, _ := os.ReadFile(filepath.Join(thread, "children"))
		for _, f := range strings.Fields(string(data)) {
			child, _ := strconv.Atoi(f)
			list = append(list, child)
		}
	}
	return list
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

// LargestChild is how much RAM that descendant of this process had at most that had the most, of those
// that still run, in bytes.
func LargestChild() int64 { return largestBelow(os.Getpid()) }

func largestBelow(pid int) (most int64) {
	for _, child := range childrenOf(pid) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", child))
		most = max(most, peak(string(status)), largestBelow(child))
	}
	return most
}

// peak reads VmHWM of a status file, which is in KiB (proc_pid_status(5)), in bytes.
func peak(status string) int64 {
	_, after, _ := strings.Cut(status, "\nVmHWM:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10
}
