package inspect

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteText writes a machine as a tree.
func (m *Machine) WriteText(w io.Writer) error {
	root := &branch{text: m.Title}
	processor := root.add("processors: " + strconv.Itoa(m.CPUs))
	if m.CPU != "" {
		processor.add(m.CPU + ", " + m.MHz + " MHz")
	}
	memory := root.add("memory map")
	at := []*branch{memory}
	for _, r := range m.Memory {
		at = at[:min(r.Depth+1, len(at))]
		at = append(at, at[len(at)-1].add(fmt.Sprintf("%08x-%08x  %s, %s", r.Start, r.End-1, r.Name, Size(r.End-r.Start))))
	}
	if len(m.PCI) > 0 {
		bus := root.add("PCI functions")
		for _, f := range m.PCI {
			bus.add(f)
		}
	}
	devices := root.add("virtio devices")
	for _, d := range m.Devices {
		b := devices.add(fmt.Sprintf("%s: %s (device type %d)", d.Name, d.Kind(), d.ID))
		if d.Use != "" {
			b.add("used for: " + d.Use)
		}
		if d.Failed != "" {
			b.add("failed: " + d.Failed)
		}
		accepted, left := d.Features()
		if !d.Driven {
			b.addList("no driver; offered: ", left)
			continue
		}
		b.addList("accepted: ", accepted)
		b.addList("offered only: ", left)
		queues := b.add("queues: " + strconv.Itoa(len(d.Queues)))
		for _, q := range d.Queues {
			queues.add(fmt.Sprintf("%d: %s, %d descriptors", q.Index, q.Name, q.Size))
		}
	}
	mounts := root.add("mounts")
	for _, o := range m.Mounts {
		mounts.add(fmt.Sprintf("%s: %s %s (%s)", o.Path, o.Type, o.Source, o.Options))
	}
	_, err := io.WriteString(w, root.String())
	return err
}

// Size writes a number of bytes in the largest binary unit in which it is at least 1.
func Size(n uint64) string {
	unit, value := "bytes", float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		unit, value = u, value/1024
	}
	return strconv.FormatFloat(float64(int(value*10+0.5))/10, 'f', -1, 64) + " " + unit
}

// branch is a line of a tree and those below it.
type branch struct {
	text  string
	below []*branch
}

func (b *branch) add(text string) *branch {
	c := &branch{text: text}
	b.below = append(b.below, c)
	return c
}

// textWidth is where lists are broken, in characters.
const textWidth = 88

// addList adds words, in as many lines as it takes.
func (b *branch) addList(head string, words []string) {
	if len(words) == 0 {
		b.add(head + "none")
		return
	}
	line := head
	for i, word := range words {
		if i > 0 && len(line)+len(word) > textWidth {
			b.add(strings.TrimRight(line, " "))
			line = strings.Repeat(" ", len(head))
		}
		line += word + " "
	}
	b.add(strings.TrimRight(line, " "))
}

func (b *branch) String() string {
	var s strings.Builder
	s.WriteString(b.text + "\n")
	b.write(&s, "")
	return s.String()
}

func (b *branch) write(s *strings.Builder, indent string) {
	for i, c := range b.below {
		mark, more := "├─ ", "│  "
		if i == len(b.below)-1 {
			mark, more = "└─ ", "   "
		}
		if strings.HasPrefix(c.text, " ") { // goes on with the line before
			mark = more
		}
		s.WriteString(strings.TrimRight(indent+mark+c.text, " ") + "\n")
		c.write(s, indent+more)
	}
}
