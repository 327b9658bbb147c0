package main

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"strings"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// The size of a character and the margin, in units of the picture, and its colours.
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin                = 12.0
	background            = "#1b1f24"
	foreground            = "#d7dde4"
)

// palette has the 16 colours that terminals have names for.
var palette = [16]string{
	"#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
	"#5c6370", "#ff7b86", "#b5e890", "#ffd68a", "#7cc4ff", "#e08df5", "#6fd3df", "#ffffff",
}

// frame is what the screen shows from a time on.
type frame struct {
	at   time.Duration
	rows []string // of the picture: elements of SVG
}

// tick is the time between two pictures: what comes quicker is shown at once. last
// is how long the last one stays.
const (
	tick = 80 * time.Millisecond
	last = 4 * time.Second
)

// picture makes an SVG that plays a cast again and again. The frames lie side by
// side, and a rule of CSS moves from one to the next. Rows that are the same are
// there once.
func picture(c *cast) ([]byte, error) {
	frames, length := render(c)
	if len(frames) == 0 {
		return nil, fmt.Errorf("the cast shows nothing")
	}
	w := float64(c.header.Width)*cellWidth + 2*margin
	h := float64(c.header.Height)*cellHeight + 2*margin
	rows := make(map[string]int)
	var defs, body, keys bytes.Buffer
	for i, f := range frames {
		fmt.Fprintf(&keys, "%.3f%%{transform:translateX(-%.1fpx)}", 100*f.at.Seconds()/length.Seconds(), float64(i)*w)
		fmt.Fprintf(&body, `<g transform="translate(%.1f 0)">`, float64(i)*w)
		for y, row := range f.rows {
			if row == "" {
				continue
			}
			id, ok := rows[row]
			if !ok {
				id = len(rows)
				rows[row] = id
				fmt.Fprintf(&defs, `<g id="r%d">%s</g>`+"\n", id, row)
			}
			fmt.Fprintf(&body, `<use href="#r%d" y="%.1f"/>`, id, float64(y)*cellHeight)
		}
		body.WriteString("</g>\n")
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" width="%.0f" height="%.0f" role="img" fill="%s">`+"\n", w, h, w, h, foreground)
	fmt.Fprintf(&out, "<title>%s</title>\n", html.EscapeString(c.header.Title))
	fmt.Fprintf(&out, "<style>@keyframes p{%s}.p{animation:p %.2fs steps(1,end) infinite}"+
		"text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}.b{font-weight:bold}</style>\n", keys.Bytes(), length.Seconds())
	fmt.Fprintf(&out, "<defs>\n%s</defs>\n", defs.Bytes())
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", background)
	fmt.Fprintf(&out, `<svg x="%.1f" y="%.1f" width="%.1f" height="%.1f"><g class="p">`+"\n%s</g></svg>\n</svg>\n",
		margin, margin, w-2*margin, h-2*margin, body.Bytes())
	return out.Bytes(), nil
}

// render plays a cast on a terminal in memory, and returns what it shows at each
// tick at which it changes, and how long that takes in all. Pauses are no longer
// than the cast wants.
func render(c *cast) (frames []frame, length time.Duration) {
	screen := vt.NewEmulator(c.header.Width, c.header.Height)
	defer screen.Close()
	go func() { // it answers questions of programs, and nobody asks
		buf := make([]byte, 256)
		for {
			if _, err := screen.Read(buf); err != nil {
				return
			}
		}
	}()
	idle := time.Duration(c.header.Idle * float64(time.Second))
	var now, before time.Duration
	for i, ev := range c.events {
		pause := ev.at - before
		before = ev.at
		if idle > 0 {
			pause = min(pause, idle)
		}
		now += pause
		screen.WriteString(ev.text)
		if i+1 < len(c.events) && c.events[i+1].at-ev.at < tick && len(frames) > 0 && now-frames[len(frames)-1].at < tick {
			continue // more comes before anybody sees this
		}
		rows := make([]string, c.header.Height)
		for y := range rows {
			rows[y] = renderRow(screen, y)
		}
		if n := len(frames); n == 0 || strings.Join(frames[n-1].rows, "\n") != strings.Join(rows, "\n") {
			frames = append(frames, frame{now, rows})
		}
	}
	return frames, now + last
}

// renderRow is the SVG of a row: a text for each run of characters that look the
// same, behind it what is not of the background's colour.
func renderRow(screen *vt.Emulator, y int) string {
	var out strings.Builder
	cursor := screen.CursorPosition()
	for x := 0; x < screen.Width(); {
		look, text := lookOf(screen, x, y, cursor)
		from, end := x, x
		var run strings.Builder
		for x < screen.Width() {
			l, s := lookOf(screen, x, y, cursor)
			if l != look {
				break
			}
			text = s
			run.WriteString(text)
			x += cellsOf(screen, x, y)
			end = x
		}
		if look.back != "" {
			fmt.Fprintf(&out, `<rect x="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, float64(from)*cellWidth, float64(end-from)*cellWidth, cellHeight, look.back)
		}
		shown := strings.TrimRight(run.String(), " ")
		if shown == "" {
			continue
		}
		lead := len(shown) - len(strings.TrimLeft(shown, " "))
		attributes := ""
		if look.fore != "" {
			attributes += ` fill="` + look.fore + `"`
		}
		if look.bold {
			attributes += ` class="b"`
		}
		// The length holds the columns, whatever font is found.
		columns := end - from - lead - (len(run.String()) - len(shown))
		fmt.Fprintf(&out, `<text x="%.1f" y="13.5" textLength="%.1f"%s>%s</text>`,
			float64(from+lead)*cellWidth, float64(columns)*cellWidth, attributes, html.EscapeString(shown[lead:]))
	}
	return out.String()
}

// look is how a character is drawn; empty colours are the usual ones.
type look struct {
	fore, back string
	bold       bool
}

func lookOf(screen *vt.Emulator, x, y int, cursor uv.Position) (look, string) {
	cell := screen.CellAt(x, y)
	var l look
	text := " "
	if cell != nil {
		if cell.Content != "" {
			text = cell.Content
		}
		l = look{colorName(cell.Style.Fg), colorName(cell.Style.Bg), cell.Style.Attrs&uv.AttrBold != 0}
		if cell.Style.Attrs&uv.AttrFaint != 0 && l.fore == "" {
			l.fore = palette[8]
		}
		if cell.Style.Attrs&uv.AttrReverse != 0 {
			l.fore, l.back = orElse(l.back, background), orElse(l.fore, foreground)
		}
	}
	if x == cursor.X && y == cursor.Y && !screen.CursorHidden() {
		l.fore, l.back = background, foreground
	}
	return l, text
}

func cellsOf(screen *vt.Emulator, x, y int) int {
	if cell := screen.CellAt(x, y); cell != nil {
		return max(1, cell.Width)
	}
	return 1
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// colorName is a colour as CSS has it.
func colorName(c color.Color) string {
	if c == nil {
		return ""
	}
	for i := range palette {
		if c == ansi.BasicColor(i) {
			return palette[i]
		}
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
