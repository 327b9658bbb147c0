package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// procFile reads a file of the kernel's.
func (p *process) procFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(p.sh.proc, filepath.FromSlash(name)))
}

// mounted is a line of /proc/mounts.
type mounted struct{ source, path, kind, mode string }

func (p *process) mounts() ([]mounted, error) {
	data, err := p.procFile("mounts")
	if err != nil {
		return nil, err
	}
	var list []mounted
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 4 {
			return nil, fmt.Errorf("%s: unexpected line %q", filepath.Join(p.sh.proc, "mounts"), line)
		}
		list = append(list, mounted{unescape(f[0]), unescape(f[1]), f[2], f[3]})
	}
	return list, nil
}

// unescape replaces the octal escapes that stand for spaces in fstab(5).
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func mount(p *process, _ []string) error {
	list, err := p.mounts()
	for _, m := range list {
		p.printf("%s on %s type %s (%s)\n", m.source, m.path, m.kind, m.mode)
	}
	return err
}

// fileSystem is the room on a file system, in bytes and numbers of files.
type fileSystem struct {
	size, free, avail uint64
	files, freeFiles  uint64
}

func df(p *process, args []string) error {
	f := p.flags()
	all := f.BoolP("all", "a", false, "")
	f.BoolP("human-readable", "h", true, "") // as it is anyway
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError("all file systems are shown, none by name")
	}
	list, err := p.mounts()
	if err != nil {
		return err
	}
	rows := [][]string{{"Source", "Type", "Size", "Used", "Free", "Use", "Mounted on"}}
	seen := make(map[uint64]bool)
	for _, m := range list {
		fs, err := room(m.path)
		if err != nil {
			p.complain("df", err)
			continue
		}
		if info, err := os.Stat(m.path); err == nil && !*all {
			d := details(info)
			if d.known && seen[d.dev] || fs.size == 0 {
				continue // a directory of one that is there, or only names
			}
			seen[d.dev] = true
		}
		rows = append(rows, []string{m.source, m.kind, size(fs.size), size(fs.size - fs.free), size(fs.avail), fs.use(), m.path})
	}
	p.table(rows, "2345")
	return nil
}

// use is the part that is used of what is there for everybody, as df(1) has it.
func (f fileSystem) use() string {
	used := f.size - f.free
	if used+f.avail == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(used)/float64(used+f.avail))
}

func lspci(p *process, _ []string) error {
	data, err := p.procFile("yolk/pci")
	if err != nil {
		return err
	}
	if len(data) == 0 {
		p.printf("There is no PCI bus. The devices of this machine are at fixed addresses:\n")
		data, err = p.procFile("yolk/virtio")
		for line := range strings.Lines(string(data)) {
			if !strings.HasPrefix(line, " ") {
				p.printf("%s", line)
			}
		}
		return err
	}
	_, err = p.out.Write(data)
	return err
}

func dmesg(p *process, _ []string) error {
	data, err := p.procFile("kmsg")
	if err != nil {
		return err
	}
	_, err = p.out.Write(data)
	return err
}

// meminfo reads /proc/meminfo, in bytes.
func (p *process) meminfo() (map[string]uint64, error) {
	data, err := p.procFile("meminfo")
	if err != nil {
		return nil, err
	}
	m := make(map[string]uint64)
	for line := range strings.Lines(string(data)) {
		var name string
		var kib uint64
		if _, err := fmt.Sscan(line, &name, &kib); err == nil {
			m[strings.TrimSuffix(name, ":")] = kib << 10
		}
	}
	return m, nil
}

func free(p *process, args []string) error {
	f := p.flags()
	f.BoolP("human", "h", true, "") // as it is anyway
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError("no arguments are taken")
	}
	m, err := p.meminfo()
	if err != nil {
		return err
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	p.table([][]string{
		{"", "total", "used", "free", "available"},
		{"Memory", size(m["MemTotal"]), size(m["MemTotal"] - m["MemFree"]), size(m["MemFree"]), size(m["MemAvailable"])},
	}, "1234")
	p.printf("\nThe Go runtime has %s of it: %s in use on the heap, %s for stacks; %d collections.\n",
		size(heap.Sys), size(heap.HeapInuse), size(heap.StackInuse), heap.NumGC)
	return nil
}

func uptime(p *process, _ []string) error {
	up, idle, err := p.uptime()
	if err != nil {
		return err
	}
	p.printf("%s  up %v, idle %v (%.0f%%), %d goroutines\n", time.Now().Format(time.TimeOnly),
		up, idle, 100*idle.Seconds()/max(up.Seconds(), 0.01), runtime.NumGoroutine())
	return nil
}

// uptime tells how long the machine has been up, and idle, to 10 ms.
func (p *process) uptime() (up, idle time.Duration, err error) {
	data, err := p.procFile("uptime")
	if err != nil {
		return 0, 0, err
	}
	var u, i float64
	if _, err := fmt.Sscan(string(data), &u, &i); err != nil {
		return 0, 0, fmt.Errorf("%s: unexpected text %q", filepath.Join(p.sh.proc, "uptime"), data)
	}
	second := func(s float64) time.Duration { return time.Duration(s*100+0.5) * 10 * time.Millisecond }
	return second(u), second(i), nil
}

// cpuModel is the name of the first processor and the number of all.
func (p *process) cpuModel() (name string, n int, err error) {
	data, err := p.procFile("cpuinfo")
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name":
			name = strings.TrimSpace(value)
		}
	}
	return name, n, err
}
