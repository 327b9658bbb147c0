package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// cast is a recording in the form of asciicast v2:
// https://docs.asciinema.org/manual/asciicast/v2/
type cast struct {
	header header
	events []event
}

// header is the first line.
type header struct {
	Version int               `json:"version"`
	Width   int               `json:"width"`
	Height  int               `json:"height"`
	Idle    float64           `json:"idle_time_limit,omitempty"` // in seconds: longer pauses are shown as this
	Title   string            `json:"title,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// event is what a terminal was given to show at a time since the start.
type event struct {
	at   time.Duration
	text string
}

// output is the code of an event that shows something.
const output = "o"

func (c *cast) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c.header); err != nil {
		return nil, err
	}
	for _, ev := range c.events {
		if err := e.Encode([]any{json.Number(fmt.Sprintf("%.6f", ev.at.Seconds())), output, ev.text}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func readCast(name string) (*cast, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// maxSize is how many columns or rows a terminal has here.
const maxSize = 500

func decode(data []byte) (*cast, error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	c := &cast{}
	if err := json.Unmarshal(first, &c.header); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	h := c.header
	if h.Version != 2 || h.Width < 1 || h.Width > maxSize || h.Height < 1 || h.Height > maxSize || h.Idle < 0 {
		return nil, fmt.Errorf("line 1: version %d of %dx%d, and 2 of 1 to %d is wanted", h.Version, h.Width, h.Height, maxSize)
	}
	n := 1
	for line := range bytes.Lines(rest) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var fields []json.RawMessage
		var at float64
		var code, text string
		if err := json.Unmarshal(line, &fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d: %d fields, want 3", n, len(fields))
		}
		for i, v := range []any{&at, &code, &text} {
			if err := json.Unmarshal(fields[i], v); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		last := time.Duration(0)
		if len(c.events) > 0 {
			last = c.events[len(c.events)-1].at
		}
		if at < 0 || at > 1e6 || time.Duration(at*1e9) < last {
			return nil, fmt.Errorf("line %d: time %v goes back", n, at)
		}
		if code == output {
			c.events = append(c.events, event{time.Duration(at * 1e9), text})
		}
	}
	return c, nil
}
