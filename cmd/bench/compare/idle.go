package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idleMeter measures how much of a CPU the processes take that this one has
// started.
type idleMeter struct {
	began time.Time
	used  time.Duration
}

func (m *idleMeter) start() { m.began, m.used = time.Now(), childrenCPU() }

func (m *idleMeter) percent() float64 {
	if m.began.IsZero() {
		return math.NaN()
	}
	return 100 * (childrenCPU() - m.used).Seconds() / time.Since(m.began).Seconds()
}

// childrenCPU is the CPU time of all descendants that still run.
func childrenCPU() time.Duration { return cpuBelow(os.Getpid()) }

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
