package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// stage is a command of a pipeline.
type stage struct {
	args            []string
	from, to, addTo string // redirections; empty for none
}

// pipeline runs the commands between |, each reading what the one before it
// writes, at the same time.
func (s *shell) pipeline(words []word) error {
	stages, err := parsePipeline(words)
	if err != nil {
		return err
	}
	var running []chan error
	in := s.in
	for i, st := range stages {
		c := *s
		before, _ := in.(*io.PipeReader)
		c.in = in
		var end *io.PipeWriter
		if i < len(stages)-1 {
			in, end = pipe(&c)
		}
		done := make(chan error, 1)
		running = append(running, done)
		run := func() {
			err := c.stage(st)
			if end != nil {
				end.Close()
			}
			if before != nil {
				before.Close() // nobody reads what is left
			}
			done <- err
		}
		if end != nil {
			go run()
		} else {
			run()
		}
	}
	var first error
	for _, done := range running {
		if err := <-done; first == nil && !errors.Is(err, io.ErrClosedPipe) {
			first = err
		}
	}
	return first
}

func pipe(c *shell) (*io.PipeReader, *io.PipeWriter) {
	r, w := io.Pipe()
	c.out, c.width = w, 0
	return r, w
}

func parsePipeline(words []word) ([]stage, error) {
	stages := make([]stage, 1)
	for i := 0; i < len(words); i++ {
		st := &stages[len(stages)-1]
		w := words[i]
		if !w.operator {
			st.args = append(st.args, w.expand()...)
			continue
		}
		if w.text == "|" {
			stages = append(stages, stage{})
			continue
		}
		if i++; i == len(words) || words[i].operator {
			return nil, fmt.Errorf("%s wants the name of a file", w.text)
		}
		switch w.text {
		case "<":
			st.from = words[i].text
		case ">":
			st.to, st.addTo = words[i].text, ""
		case ">>":
			st.to, st.addTo = "", words[i].text
		}
	}
	for _, st := range stages {
		if len(st.args) == 0 {
			return nil, errors.New("no command")
		}
	}
	return stages, nil
}

// stage opens what a command is redirected to and runs it.
func (s *shell) stage(st stage) (err error) {
	if st.from != "" {
		f, err := os.Open(st.from)
		if err != nil {
			return err
		}
		defer f.Close()
		s.in = f
	}
	name, flags := st.to, os.O_TRUNC
	if st.addTo != "" {
		name, flags = st.addTo, os.O_APPEND
	}
	if name != "" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|flags, 0o666)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		s.out, s.width = f, 0
	}
	return s.command(st.args)
}
