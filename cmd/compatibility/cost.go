package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cost is when the work for a record began, in time and in processor time.
type cost struct {
	at  time.Time
	cpu time.Duration
}

func begin() cost { return cost{time.Now(), cpuTime()} }

func (c cost) end(rec *record) {
	rec.Seconds = time.Since(c.at).Seconds()
	rec.CPU = (cpuTime() - c.cpu).Seconds()
}

// cpuTime is the processor time of all processes that were started here and have
// ended: builds, programs, virtual machines.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costs tells what the records took, of which the page has so many results more
// that are kept of an earlier page. Processor time, unlike time, says the same
// of a machine that had other things to do.
func costs(records []*record, keeps int) string {
	var cpu, seconds float64
	known := 0
	for _, rec := range records {
		if rec.CPU > 0 {
			known++
			cpu += rec.CPU
			seconds += rec.Seconds
		}
	}
	if known == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nBuilds included, %d of the %d results on this page took %.0f minutes of processor time, which two processors with\n"+
		"nothing else to do give in %.0f; here, it took %.0f minutes.\n", known, len(records)+keeps, cpu/60, cpu/120, seconds/60)
	return text.String()
}
