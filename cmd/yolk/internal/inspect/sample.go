package inspect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Sample are the numbers that a guest's kernel tells at one time. Counters grow while the
// machine runs.
type Sample struct {
	Time       time.Time // when it was taken, by the host
	Uptime     time.Duration
	Load       string  // averages over 1, 5 and 15 minutes
	Busy, Idle float64 // of all processors, in ticks
	CPUs       int
	Memory     map[string]uint64 // /proc/meminfo, in bytes
	Runtime    map[string]uint64 // /proc/yolk/runtime
	Interrupts []Counter
	Devices    []Group // /proc/yolk/virtio
	Fuse       []Group // /proc/yolk/fuse
}

// Counter is a number with a name.
type Counter struct {
	Name string
	N    uint64
}

// Group are the counters of a device or file system.
type Group struct {
	Name     string
	Counters []Counter
}

// Take takes a sample.
func Take(ctx context.Context, s Source) (*Sample, error) {
	n := &Sample{Memory: map[string]uint64{}, Runtime: map[string]uint64{}}
	for _, f := range []struct {
		name  string
		parse func(line string)
	}{
		{"uptime", n.uptime}, {"loadavg", func(line string) {
			if w := strings.Fields(line); len(w) >= 3 {
				n.Load = strings.Join(w[:3], " ")
			}
		}},
		{"stat", n.stat}, {"meminfo", n.meminfo}, {"interrupts", n.interrupt},
		{"yolk/runtime", func(line string) {
			name, value, _ := strings.Cut(line, " ")
			n.Runtime[name], _ = strconv.ParseUint(value, 10, 64)
		}},
		{"yolk/virtio", func(line string) { n.Devices = addLine(n.Devices, line) }},
		{"yolk/fuse", func(line string) { n.Fuse = addLine(n.Fuse, line) }},
	} {
		data, err := s.ReadProc(ctx, f.name)
		if errors.Is(err, syscall.ENOENT) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for in := bufio.NewScanner(bytes.NewReader(data)); in.Scan(); {
			f.parse(printable(in.Text()))
		}
	}
	n.Time = time.Now()
	return n, nil
}

func (n *Sample) uptime(line string) {
	up, _, _ := strings.Cut(line, " ")
	if s, err := strconv.ParseFloat(up, 64); err == nil && s >= 0 && s < 1e9 {
		n.Uptime = time.Duration(s * float64(time.Second))
	}
}

// stat reads a line of /proc/stat: a processor's ticks of user, nice, system, idle and so
// on.
func (n *Sample) stat(line string) {
	w := strings.Fields(line)
	if len(w) < 5 || !strings.HasPrefix(w[0], "cpu") || w[0] == "cpu" {
		return
	}
	n.CPUs++
	for i, word := range w[1:] {
		ticks, err := strconv.ParseUint(word, 10, 63)
		if err != nil {
			continue
		}
		if i == 3 || i == 4 { // idle, and waiting for a device
			n.Idle += float64(ticks)
		} else {
			n.Busy += float64(ticks)
		}
	}
}

func (n *Sample) meminfo(line string) {
	w := strings.Fields(line)
	if len(w) != 3 || w[2] != "kB" {
		return
	}
	if kB, err := strconv.ParseUint(w[1], 10, 50); err == nil {
		n.Memory[strings.TrimSuffix(w[0], ":")] = kB << 10
	}
}

// interrupt reads a line of /proc/interrupts: the number, a count for each processor, and
// what it is.
func (n *Sample) interrupt(line string) {
	head, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
	if !ok {
		return
	}
	c := Counter{Name: head}
	words := strings.Fields(rest)
	for len(words) > 0 {
		count, err := strconv.ParseUint(words[0], 10, 63)
		if err != nil {
			break
		}
		c.N += count
		words = words[1:]
	}
	if len(words) > 0 {
		c.Name = strings.Join(words, " ")
	}
	n.Interrupts = append(n.Interrupts, c)
}

// addLine adds a line of a file with groups: a name, and below it counters, indented.
func addLine(list []Group, line string) []Group {
	counter, ok := strings.CutPrefix(line, "  ")
	if !ok {
		return append(list, Group{Name: line})
	}
	at := strings.LastIndexByte(counter, ' ')
	if at < 0 || len(list) == 0 {
		return list
	}
	v, err := strconv.ParseUint(counter[at+1:], 10, 64)
	if err == nil {
		g := &list[len(list)-1]
		g.Counters = append(g.Counters, Counter{counter[:at], v})
	}
	return list
}

// get returns a counter of a group; 0 if there is none.
func (g Group) get(name string) uint64 {
	for _, c := range g.Counters {
		if c.Name == name {
			return c.N
		}
	}
	return 0
}

// groupNamed returns the group of a name, and an empty one if there is none.
func groupNamed(list []Group, name string) Group {
	for _, g := range list {
		if g.Name == name {
			return g
		}
	}
	return Group{}
}
