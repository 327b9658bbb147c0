package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// edit edits a file of text on the whole terminal.
func edit(p *process, args []string) error {
	f := p.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError("one file")
	}
	e := &editor{path: p.at(f.Arg(0)), name: f.Arg(0)}
	if err := e.load(); err != nil {
		return err
	}
	if p.width == 0 {
		return errNoTerminal
	}
	screen, err := p.sh.newScreen()
	if err != nil {
		return err
	}
	e.build()
	e.app.SetScreen(screen) // which runs Init
	defer context.AfterFunc(p.ctx, e.app.Stop)()
	return e.app.Run()
}

// maxEdit is the size of files that are edited, in bytes.
const maxEdit = 16 << 20

// editor is a text area with a line below it that tells what there is to do.
type editor struct {
	path, name string
	saved      string // what the file has
	app        *tview.Application
	area       *tview.TextArea
	line       *tview.TextView   // the line below
	input      *tview.InputField // takes its place while something is searched for
	pages      *tview.Flex
	leaving    bool // the question is open, whether to save
	pattern    string
}

func (e *editor) load() error {
	text, err := os.ReadFile(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(text) > maxEdit:
		return fmt.Errorf("%s: has %s, and %s can be edited", e.name, size(uint64(len(text))), size(maxEdit))
	case !utf8.Valid(text) || strings.Contains(string(text), "\x00"):
		return fmt.Errorf("%s: is no text (UTF-8), and would not be the same after it was edited: see hexdump", e.name)
	}
	e.saved = string(text)
	return nil
}

func (e *editor) save() error {
	text := e.area.GetText()
	// Into the same file, which keeps its mode and its other names.
	if err := os.WriteFile(e.path, []byte(text), 0o666); err != nil {
		return err
	}
	e.saved = text
	return nil
}

func (e *editor) build() {
	tview.Styles.PrimitiveBackgroundColor = tcell.ColorDefault
	tview.Styles.PrimaryTextColor = tcell.ColorDefault
	tview.Styles.ContrastBackgroundColor = tcell.ColorDefault
	e.app = tview.NewApplication().EnablePaste(true)
	e.area = tview.NewTextArea().SetWrap(false).SetText(e.saved, false)
	e.area.SetTextStyle(tcell.StyleDefault)
	e.line = tview.NewTextView().SetTextStyle(tcell.StyleDefault.Reverse(true))
	e.input = tview.NewInputField().SetLabel("search: ").SetFieldStyle(tcell.StyleDefault).SetLabelStyle(tcell.StyleDefault.Bold(true))
	e.pages = tview.NewFlex().SetDirection(tview.FlexRow).AddItem(e.area, 0, 1, true).AddItem(e.line, 1, 0, false)
	e.area.SetMovedFunc(func() { e.tell("") })
	e.area.SetChangedFunc(func() { e.tell("") })
	e.input.SetDoneFunc(e.search)
	e.app.SetRoot(e.pages, true).SetFocus(e.area)
	e.app.SetInputCapture(e.key)
	e.tell("")
}

// tell shows a message, or where the cursor is.
func (e *editor) tell(message string) {
	if message == "" {
		row, column, _, _ := e.area.GetCursor()
		changed := ""
		if e.area.GetText() != e.saved {
			changed = " (changed)"
		}
		message = fmt.Sprintf("%s%s  %d:%d  Ctrl-S saves, Ctrl-C leaves, Ctrl-F searches, Ctrl-G finds the next, Ctrl-Z undoes",
			visible(e.name), changed, row+1, column+1)
	}
	e.line.SetText(message)
}

// key takes the keys that are the editor's.
func (e *editor) key(event *tcell.EventKey) *tcell.EventKey {
	if e.leaving {
		e.answer(event)
		return nil
	}
	if e.input.HasFocus() {
		if event.Key() == tcell.KeyCtrlC {
			e.search(tcell.KeyEscape)
			return nil
		}
		return event
	}
	switch event.Key() {
	case tcell.KeyCtrlS:
		if err := e.save(); err != nil {
			e.tell(visible(err.Error()))
		} else {
			e.tell(fmt.Sprintf("saved, %d bytes", len(e.saved)))
		}
	case tcell.KeyCtrlC, tcell.KeyEscape:
		if e.area.GetText() == e.saved {
			e.app.Stop()
			return nil
		}
		e.leaving = true
		e.tell("It is not saved. s saves and leaves, d drops what has changed, another key goes on")
	case tcell.KeyCtrlF:
		e.pages.RemoveItem(e.line).AddItem(e.input, 1, 0, true)
		e.app.SetFocus(e.input)
	case tcell.KeyCtrlG:
		e.next()
	default:
		return event
	}
	return nil
}

// answer takes the answer to the question whether to save.
func (e *editor) answer(event *tcell.EventKey) {
	e.leaving = false
	e.tell("")
	if event.Key() != tcell.KeyRune {
		return
	}
	switch event.Rune() {
	case 's', 'y':
		if err := e.save(); err != nil {
			e.tell(visible(err.Error()))
			return
		}
		e.app.Stop()
	case 'd', 'n':
		e.app.Stop()
	}
}

// search ends the input of what to search for.
func (e *editor) search(key tcell.Key) {
	e.pages.RemoveItem(e.input).AddItem(e.line, 1, 0, false)
	e.app.SetFocus(e.area)
	e.tell("")
	if key == tcell.KeyEnter {
		e.pattern = e.input.GetText()
		e.next()
	}
}

// next selects the next place where the text is that was searched for, from the
// cursor on, and from the beginning behind the end.
func (e *editor) next() {
	if e.pattern == "" {
		return
	}
	text := e.area.GetText()
	_, _, from := e.area.GetSelection()
	i := strings.Index(text[from:], e.pattern)
	if i >= 0 {
		i += from
	} else if i = strings.Index(text, e.pattern); i < 0 {
		e.tell("not found")
		return
	}
	e.area.Select(i, i+len(e.pattern))
}
