package options

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yolkos/yolk/qemu"
)

// Choice is the value of an option that has one of some words.
type Choice struct {
	Value string
	words []string
}

// Choose makes a choice; the first word is what it is without the option.
func Choose[T ~string](words ...T) Choice {
	c := Choice{Value: string(words[0])}
	for _, w := range words {
		c.words = append(c.words, string(w))
	}
	return c
}

func (c *Choice) String() string { return c.Value }
func (c *Choice) Type() string   { return strings.Join(c.words, "|") }

func (c *Choice) Set(s string) error {
	for _, w := range c.words {
		if s == w {
			c.Value = s
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(c.words, ", "))
}

// Memory is an amount of memory as it was written, which it is handed on as.
type Memory struct {
	text  string
	Bytes uint64
}

func (m *Memory) String() string { return m.text }
func (m *Memory) Type() string   { return "SIZE" }

func (m *Memory) Set(s string) (err error) {
	m.text = s
	m.Bytes, err = qemu.ParseMemory(s)
	return err
}

// DiskSize is the size of a disk as it was written.
type DiskSize struct {
	Text  string
	Bytes uint64
}

func (d *DiskSize) String() string { return d.Text }
func (d *DiskSize) Type() string   { return "SIZE" }

func (d *DiskSize) Set(s string) (err error) {
	d.Text = s
	if d.Bytes, err = qemu.ParseSize(s); err == nil && d.Bytes == 0 {
		err = fmt.Errorf("%s is less than 1 MiB", s)
	}
	return err
}

// CPUs is a number of CPUs.
type CPUs int

func (c *CPUs) String() string { return strconv.Itoa(int(*c)) }
func (c *CPUs) Type() string   { return "N" }

func (c *CPUs) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > qemu.MaxCPUs {
		return fmt.Errorf("want a number from 1 to %d", qemu.MaxCPUs)
	}
	*c = CPUs(n)
	return nil
}

// Limit is a time limit; 0 is none.
type Limit time.Duration

func (l *Limit) String() string {
	if *l == 0 {
		return "" // not worth showing as a default
	}
	return time.Duration(*l).String()
}

func (l *Limit) Type() string { return "TIME" }

func (l *Limit) Set(s string) error {
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
	*l = Limit(d)
	return nil
}
