package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yolkos/yolk/qemu"
)

// choice is the value of an option that has one of some words.
type choice struct {
	value string
	words []string
}

// choose makes a choice; the first word is what it is without the option.
func choose[T ~string](words ...T) choice {
	c := choice{value: string(words[0])}
	for _, w := range words {
		c.words = append(c.words, string(w))
	}
	return c
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(s string) error {
	for _, w := range c.words {
		if s == w {
			c.value = s
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(c.words, ", "))
}

// memory is an amount of memory as it was written, which it is handed on as.
type memory struct {
	text  string
	bytes uint64
}

func (m *memory) String() string { return m.text }
func (m *memory) Type() string   { return "SIZE" }

func (m *memory) Set(s string) (err error) {
	m.text = s
	m.bytes, err = qemu.ParseMemory(s)
	return err
}

// diskSize is the size of a disk as it was written.
type diskSize struct {
	text  string
	bytes uint64
}

func (d *diskSize) String() string { return d.text }
func (d *diskSize) Type() string   { return "SIZE" }

func (d *diskSize) Set(s string) (err error) {
	d.text = s
	if d.bytes, err = qemu.ParseSize(s); err == nil && d.bytes == 0 {
		err = fmt.Errorf("%s is less than 1 MiB", s)
	}
	return err
}

// cpus is a number of CPUs.
type cpus int

func (c *cpus) String() string { return strconv.Itoa(int(*c)) }
func (c *cpus) Type() string   { return "N" }

func (c *cpus) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > qemu.MaxCPUs {
		return fmt.Errorf("want a number from 1 to %d", qemu.MaxCPUs)
	}
	*c = cpus(n)
	return nil
}

// limit is a time limit; 0 is none.
type limit time.Duration

func (l *limit) String() string {
	if *l == 0 {
		return "" // not worth showing as a default
	}
	return time.Duration(*l).String()
}

func (l *limit) Type() string { return "TIME" }

func (l *limit) Set(s string) error {
	d, err := time.ParseDuration(s)
	if _, bare := strconv.ParseFloat(s, 64); err != nil && bare == nil {
		return fmt.Errorf("want a unit, as in %ss for seconds or %sm for minutes", s, s)
	}
	switch {
	case err != nil:
		return errors.New("want a time such as 500ms, 10s or 1m30s")
	case d < 0:
		return errors.New("a time limit cannot be negative")
	}
	*l = limit(d)
	return nil
}
