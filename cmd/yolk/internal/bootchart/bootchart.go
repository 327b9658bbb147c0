// Package bootchart draws how a boot went: a bar for each stage, over time or
// instructions.
package bootchart

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/yolkos/yolk/cmd/yolk/internal/svg"
)

// Stage is a part of a boot. It ends where the next one begins; the last one is where the
// boot ends.
type Stage struct {
	Name string
	At   uint64 // the time-stamp counter
}

// Chart is what is drawn.
type Chart struct {
	Title        string
	Hz           uint64 // counts in a second
	Instructions bool   // a count is an instruction
	Stages       []Stage
}

// ErrNoBoot is the error of a boot that did not come to its end.
var ErrNoBoot = errors.New("no boot chart: the program's main function was not reached")

// firmware is what there is before the first stage.
const firmware = "firmware, entry (arch/amd64/entry)"

// Measures of the picture, in pixels.
const (
	width   = 860
	left    = 290 // of the bars
	right   = 130 // for their values
	top     = 64
	row     = 22
	barPart = 14
)

// SVG draws the chart.
func (c *Chart) SVG() ([]byte, error) {
	n := len(c.Stages)
	if n < 2 {
		return nil, ErrNoBoot
	}
	stages := append([]Stage{{firmware, 0}}, c.Stages...)
	total := stages[n].At
	for i := range n {
		if stages[i].At > stages[i+1].At {
			return nil, fmt.Errorf("boot chart: %q began before %q ended", stages[i+1].Name, stages[i].Name)
		}
	}
	if total == 0 || !c.Instructions && c.Hz == 0 {
		return nil, errors.New("boot chart: the guest has no clock")
	}
	height := top + row*n + 34
	var b bytes.Buffer
	b.WriteString(svg.Head(width, height))
	fmt.Fprintf(&b, `<text x="10" y="24" font-size="15">%s: from the first instruction to main, %s</text>`+"\n", svg.Escape(c.Title), c.value(total))
	scale := float64(width-left-right) / float64(total)
	for i := range 5 {
		x := left + float64(width-left-right)*float64(i)/4
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1[1]f" y2="%d" stroke="#cdcdcd"/>`+"\n", x, top-8, height-30)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#6e6e6e" text-anchor="middle">%s</text>`+"\n", x, height-12, c.short(total/4*uint64(i)))
	}
	for i := range n {
		s, took := stages[i], stages[i+1].At-stages[i].At
		y := top + row*i
		x, w := left+scale*float64(s.At), max(scale*float64(took), 1)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+barPart-3, svg.Escape(s.Name))
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, y, w, barPart, colour(s.Name))
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#6e6e6e">%s, %.1f %%</text>`+"\n", x+w+5, y+barPart-3, c.short(took), 100*float64(took)/float64(total))
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// value prints a span of the counter.
func (c *Chart) value(n uint64) string {
	if c.Instructions {
		return fmt.Sprintf("%.2f million instructions", float64(n)/1e6)
	}
	return c.short(n)
}

// short is value where the title has said what is counted.
func (c *Chart) short(n uint64) string {
	switch {
	case c.Instructions && n >= 1e6:
		return fmt.Sprintf("%.2f million", float64(n)/1e6)
	case c.Instructions:
		return fmt.Sprint(n)
	}
	ms := float64(n) / float64(c.Hz) * 1e3
	return fmt.Sprintf("%.*f ms", map[bool]int{true: 1, false: 3}[ms >= 10], ms)
}

// colour is that of whose stage it is. They are told apart by those who do not see
// red and green, too.
func colour(name string) string {
	for _, c := range []struct{ prefix, colour string }{
		{"firmware", "#6e6e6e"}, {"arch/", "#0072b2"}, {"runtime", "#e69f00"}, {"init", "#e69f00"}, {"drivers", "#d55e00"},
	} {
		if strings.HasPrefix(name, c.prefix) {
			return c.colour
		}
	}
	return "#56b4e9"
}
