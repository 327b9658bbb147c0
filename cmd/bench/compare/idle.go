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

// tick is the unit of CPU times in /proc, USER_HZ.
const tick = 10 * time.Millisecond

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
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list) // a thread may have ended meanwhile
		for _, f := range strings.Fields(string(data)) {
			child, _ := strconv.Atoi(f)
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
			sum += cpuTime(string(stat)) + cpuBelow(child)
		}
	}
	return sum
}

// cpuTime reads user and system time from /proc/PID/stat: fields 14 and 15,
// counted behind the name in parentheses, which is the second (proc(5)).
func cpuTime(stat string) time.Duration {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick
}
