package main

import (
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// counters are sums since the start of the guest: of its file system's queues
// in Yolk, and in Linux the interrupts of all virtio devices. The host has none.
type counters rows.Cost

func readCounters() counters {
	none := math.NaN()
	if data, err := os.ReadFile("/proc/yolk/virtio"); err == nil {
		return queueCounters(string(data))
	}
	if os.Getpid() == 1 { // of a Linux guest
		if data, err := os.ReadFile("/proc/interrupts"); err == nil {
			return counters{none, none, interruptCount(string(data))}
		}
	}
	return counters{none, none, none}
}

// since spreads what came after before over a number of operations.
func (c counters) since(before counters, ops int) rows.Cost {
	n := float64(ops)
	return rows.Cost{
		Requests:      (c.Requests - before.Requests) / n,
		Notifications: (c.Notifications - before.Notifications) / n,
		Interrupts:    (c.Interrupts - before.Interrupts) / n,
	}
}

// queueCounters adds up the lines of /proc/yolk/virtio, such as
// "  request 0.interrupts 12".
func queueCounters(text string) (c counters) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line[strings.LastIndexByte(line, '.')+1:], " ")
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			continue
		}
		switch name {
		case "requests":
			c.Requests += n
		case "notifications":
			c.Notifications += n
		case "interrupts":
			c.Interrupts += n
		}
	}
	return c
}

// interruptCount adds up the virtio lines of Linux's /proc/interrupts for one
// CPU, such as "24: 17 PCI-MSI 16385-edge virtio0-requests".
func interruptCount(text string) (sum float64) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[len(f)-1], "virtio") {
			continue
		}
		if n, err := strconv.ParseFloat(f[1], 64); err == nil {
			sum += n
		}
	}
	return sum
}
