package main

import (
	"fmt"
	"os"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/term"
)

type model struct {
	n    int
	w, h int
	last string
}

func (m model) Init() tea.Cmd { return nil }
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.KeyMsg:
		m.last = msg.String()
		switch msg.String() {
		case "q", "ctrl+c":
			return m, tea.Quit
		case "up":
			m.n++
		}
	}
	return m, nil
}
func (m model) View() string {
	return fmt.Sprintf("count %d\nsize %dx%d\nkey %s\n", m.n, m.w, m.h, m.last)
}

func main() {
	fmt.Println("terminal", term.IsTerminal(0), term.IsTerminal(1), os.Getenv("TERM"))
	p := tea.NewProgram(model{}, tea.WithAltScreen())
	if _, err := p.Run(); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Print("password: ")
	b, err := term.ReadPassword(0)
	fmt.Printf("\n%q %v\n", b, err)
}
