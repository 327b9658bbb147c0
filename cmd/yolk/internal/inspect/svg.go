package inspect

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/yolk/internal/svg"
)

// The picture: the processors, memory and mounts on the left, the devices in two columns
// beside them. Lengths are in the units of the picture.
const (
	margin     = 30.0
	gap        = 18.0 // between boxes
	pad        = 12.0 // in them
	leftWidth  = 400.0
	cardWidth  = 420.0
	lineHeight = 19.0
	chipHeight = 18.0
	svgWidth   = 2*margin + leftWidth + 2*(gap+cardWidth)
)

// Average widths of characters, for a size of 1.
const (
	sansWide = 0.56
	monoWide = 0.62
)

// drawing collects the elements of a picture.
type drawing struct {
	body strings.Builder
}

func (d *drawing) rect(x, y, w, h float64, class string) {
	fmt.Fprintf(&d.body, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"5\" class=\"%s\"/>\n", x, y, w, h, class)
}

// text writes one line, cut off where it is wider than width. The class ends in m for the
// font of fixed width.
func (d *drawing) text(x, y, width, size float64, class, s string) {
	wide := sansWide
	if strings.HasSuffix(class, "m") {
		wide = monoWide
	}
	if most := int(width / (size * wide)); len([]rune(s)) > most {
		s = string([]rune(s)[:max(most-1, 0)]) + "…"
	}
	fmt.Fprintf(&d.body, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" class=\"%s\">%s</text>\n", x, y, size, class, svg.Escape(s))
}

// box draws a box around its content, which ends at the y that it returns.
func (d *drawing) box(x, y, width float64, content func() (bottom float64)) (bottom float64) {
	before := d.body.String()
	d.body.Reset()
	bottom = content()
	inner := d.body.String()
	d.body.Reset()
	d.body.WriteString(before)
	d.rect(x, y, width, bottom-y, "box")
	d.body.WriteString(inner)
	return bottom
}

// WriteSVG writes a machine as a picture.
func (m *Machine) WriteSVG(w io.Writer) error {
	d := &drawing{}
	d.text(margin, margin+14, svgWidth-2*margin, 22, "head", m.Title)
	top := margin + 36
	y := d.processors(m, margin, top)
	y = d.memory(m, margin, y+gap)
	y = d.mounts(m, margin, y+gap)
	columns := [2]float64{top, top}
	for i := range m.Devices {
		c := 0
		if columns[1] < columns[0] {
			c = 1
		}
		columns[c] = d.device(&m.Devices[i], margin+leftWidth+gap+float64(c)*(cardWidth+gap), columns[c]) + gap
	}
	bottom := math.Max(y, math.Max(columns[0], columns[1])-gap)
	bottom = d.legend(margin, bottom+gap)
	_, err := fmt.Fprintf(w, svgHead, svgWidth, bottom+margin, svgWidth, bottom+margin, d.body.String())
	return err
}

const svgHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">
<style>
text { font-family: sans-serif; fill: #222 }
text.m, text.dimm { font-family: monospace }
text.head, text.bold { font-weight: bold }
text.dim, text.dimm { fill: #666 }
.paper { fill: #fff }
.box { fill: #f7f7f4; stroke: #999 }
.area { fill: #dbe7f3; stroke: #7d9cbd }
.inner { fill: #eef4fa; stroke: #7d9cbd }
.on { fill: #cfe8c9; stroke: #5c9150 }
.off { fill: #fff; stroke: #bbb; stroke-dasharray: 3 2 }
.queue { fill: #fbe7c6; stroke: #c79a45 }
</style>
<rect width="100%%" height="100%%" class="paper"/>
%s</svg>
`

func (d *drawing) processors(m *Machine, x, y float64) float64 {
	d.rect(x, y, leftWidth, 3*lineHeight+pad, "box")
	d.text(x+pad, y+pad+8, leftWidth-2*pad, 15, "bold", fmt.Sprintf("Processors: %d", m.CPUs))
	d.text(x+pad, y+pad+8+lineHeight, leftWidth-2*pad, 13, "dim", m.CPU)
	d.text(x+pad, y+pad+8+2*lineHeight, leftWidth-2*pad, 13, "dim", m.MHz+" MHz")
	return y + 3*lineHeight + pad
}

// memory draws the address space upwards from its top in the picture: the larger a
// region, the higher, by its logarithm.
func (d *drawing) memory(m *Machine, x, y float64) float64 {
	return d.box(x, y, leftWidth, func() float64 {
		y := y + pad + 10
		d.text(x+pad, y, leftWidth-2*pad, 15, "bold", "Memory map")
		y += 12
		for _, r := range m.Memory {
			height := 18 + 1.6*math.Max(0, math.Log2(float64(r.End-r.Start))-12)
			x, width, class := x+pad, leftWidth-2*pad, "area"
			if r.Depth > 0 {
				indent := float64(min(r.Depth, 8)) * 16
				x, width, class = x+indent, width-indent, "inner"
			}
			d.rect(x, y, width, height, class)
			d.text(x+8, y+height/2+4, 110, 12, "dimm", fmt.Sprintf("%08x", r.Start))
			d.text(x+112, y+height/2+4, width-196, 12, "", r.Name)
			d.text(x+width-76, y+height/2+4, 74, 12, "dim", Size(r.End-r.Start))
			y += height + 3
		}
		return y + pad
	})
}

func (d *drawing) mounts(m *Machine, x, y float64) float64 {
	height := pad + float64(len(m.Mounts)+1)*lineHeight + 8
	d.rect(x, y, leftWidth, height, "box")
	line := y + pad + 10
	d.text(x+pad, line, leftWidth-2*pad, 15, "bold", "Mounts")
	for _, o := range m.Mounts {
		line += lineHeight
		d.text(x+pad, line, 180, 13, "m", o.Path)
		d.text(x+pad+185, line, 80, 13, "", o.Type)
		d.text(x+pad+270, line, leftWidth-2*pad-270, 13, "dim", o.Source+" "+o.Options)
	}
	return y + height
}

// device draws the card of a device.
func (d *drawing) device(v *Device, x, y float64) float64 {
	return d.box(x, y, cardWidth, func() float64 {
		const inner = cardWidth - 2*pad
		x, y := x+pad, y+pad+10
		d.text(x, y, inner, 15, "bold", fmt.Sprintf("%s (%d)", v.Kind(), v.ID))
		y += lineHeight
		d.text(x, y, inner, 12, "dimm", v.Name)
		use := v.Use
		switch {
		case v.Failed != "":
			use = "failed: " + v.Failed
		case !v.Driven:
			use = "no driver"
		}
		y += lineHeight
		d.text(x, y, inner, 12, "", use)
		accepted, left := v.Features()
		y = d.chips(x, y+8, inner, accepted, "on")
		y = d.chips(x, y, inner, left, "off")
		var queues []string
		for _, q := range v.Queues {
			queues = append(queues, strconv.Itoa(q.Index)+" "+q.Name+" · "+strconv.Itoa(q.Size))
		}
		return d.chips(x, y+4, inner, queues, "queue") + pad - 4
	})
}

// chips draws words in boxes, in as many rows as it takes.
func (d *drawing) chips(x, y, width float64, words []string, class string) float64 {
	if len(words) == 0 {
		return y
	}
	const size = 10
	at := x
	for _, w := range words {
		wide := math.Min(float64(len([]rune(w)))*size*sansWide*1.15+12, width)
		if at > x && at+wide > x+width {
			at, y = x, y+chipHeight+4
		}
		d.rect(at, y, wide, chipHeight, class)
		d.text(at+6, y+12.5, wide-6, size, "", w)
		at += wide + 5
	}
	return y + chipHeight + 4
}

func (d *drawing) legend(x, y float64) float64 {
	for _, l := range []struct{ class, text string }{
		{"on", "feature accepted"}, {"off", "feature offered, not taken"}, {"queue", "queue: number, use, descriptors"},
	} {
		d.rect(x, y, 26, chipHeight, l.class)
		d.text(x+34, y+13, 240, 13, "", l.text)
		x += 290
	}
	return y + chipHeight
}
