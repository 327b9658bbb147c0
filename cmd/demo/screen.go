package main

import (
	"context"
	"errors"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

var errNoTerminal = errors.New("the output is no terminal")

// onScreen gives the whole terminal to f, until f returns. Events end, with nil,
// when the command is to end.
func (p *process) onScreen(f func(tcell.Screen) error) error {
	if p.width == 0 {
		return errNoTerminal
	}
	screen, err := p.sh.newScreen()
	if err != nil {
		return err
	}
	if err := screen.Init(); err != nil {
		return err
	}
	defer screen.Fini()
	defer context.AfterFunc(p.ctx, screen.Fini)()
	return f(screen)
}

// put writes a line of visible text into a row, from a column of the text on, and
// marks what the function names.
func put(screen tcell.Screen, row, left int, text string, style tcell.Style, marks [][]int) {
	width, _ := screen.Size()
	column, offset, more := -left, 0, false
	clusters := uniseg.NewGraphemes(text)
	for clusters.Next() {
		if column >= width {
			more = true
			break
		}
		shown := style
		for _, m := range marks {
			if m[0] <= offset && offset < m[1] {
				shown = style.Reverse(true)
			}
		}
		offset += len(clusters.Str())
		w := clusters.Width()
		if column >= 0 && column+w <= width && w > 0 {
			runes := clusters.Runes()
			screen.SetContent(column, row, runes[0], runes[1:], shown)
		}
		column += w
	}
	for column = max(column, 0); column < width; column++ {
		screen.SetContent(column, row, ' ', nil, style)
	}
	if more && width > 0 {
		screen.SetContent(width-1, row, '>', nil, style.Dim(true))
	}
}

// quits tells if a key ends what only shows something.
func quits(key *tcell.EventKey) bool {
	return key.Key() == tcell.KeyCtrlC || key.Key() == tcell.KeyEscape || key.Key() == tcell.KeyRune && strings.ContainsRune("qQ", key.Rune())
}
