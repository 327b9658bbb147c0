package main

import (
	"bytes"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// series is what a chart shows with one colour: a value for each of its
// lines; NaN leaves a gap.
type series struct {
	name   string
	color  color.Color
	shape  draw.GlyphDrawer
	values []float64
}

// Colours that are told apart by those who do not see red and green, too.
var (
	grey   = color.RGBA{110, 110, 110, 255}
	orange = color.RGBA{230, 159, 0, 255}
	blue   = color.RGBA{0, 114, 178, 255}
	sky    = color.RGBA{86, 180, 233, 255}
	red    = color.RGBA{213, 94, 0, 255}
)

// chart draws dots on lines, the first line at the top, over a logarithmic
// scale, as SVG.
func chart(title, unit string, lines []string, all []series) ([]byte, error) {
	canvas := vgsvg.New(vg.Points(760), vg.Points(110+20*float64(len(lines)+len(all))))
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	dots(title, unit, lines, all).Draw(draw.Crop(c, 10, -20, 10, -10))
	var b bytes.Buffer
	_, err := canvas.WriteTo(&b)
	// A browser may not have the font that the text was measured with; these
	// are as wide.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), err
}

func dots(title, unit string, lines []string, all []series) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = unit
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.LogTicks{Prec: -1}
	names := make([]string, len(lines))
	for i, name := range lines {
		names[len(lines)-1-i] = name
	}
	p.NominalY(names...)
	grid := plotter.NewGrid()
	grid.Horizontal.Color = color.Gray{205}
	grid.Vertical.Color = color.Gray{205}
	p.Add(grid)
	p.Legend.Top = true
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		var points plotter.XYs
		for i, v := range s.values {
			if v > 0 { // neither NaN nor what a logarithm cannot show
				points = append(points, plotter.XY{X: v, Y: float64(len(lines) - 1 - i)})
				low, high = min(low, v), max(high, v)
			}
		}
		dots, err := plotter.NewScatter(points)
		if err != nil {
			continue // nothing to show
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: s.color, Radius: vg.Points(3.5), Shape: s.shape}
		p.Add(dots)
		p.Legend.Add(s.name, dots)
	}
	if low > high {
		low, high = 1, 10
	}
	// Whole decades, and room for the legend.
	p.X.Min, p.X.Max = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high*1.01)))
	p.Y.Min, p.Y.Max = -0.7, float64(len(lines))+float64(len(all))*0.8
	return p
}
