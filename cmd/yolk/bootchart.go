package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/yolk/internal/bootchart"
	"github.com/yolkos/yolk/qemu"
)

// chartFile is a file for a picture of a boot. It is made before the program is built,
// so that a wrong name is found early, and removed if there is nothing to draw.
type chartFile struct {
	file    *os.File
	boot    qemu.Boot
	counted bool
}

// createChart makes the file, and has the guest of o tell how its boot goes.
func createChart(name string, o *qemu.Options) (*chartFile, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	c := &chartFile{file: file, counted: slices.ContainsFunc(o.Extra, func(arg string) bool { return strings.TrimLeft(arg, "-") == "icount" })}
	o.Boot = &c.boot
	return c, nil
}

// close draws the picture of the boot of a program.
func (c *chartFile) close(program string) error {
	chart := bootchart.Chart{Title: program, Hz: c.boot.Hz, Instructions: c.counted}
	for _, s := range c.boot.Stages {
		chart.Stages = append(chart.Stages, bootchart.Stage{Name: s.Name, At: s.At})
	}
	text, err := chart.SVG()
	if err == nil {
		_, err = c.file.Write(text)
	}
	if err = errors.Join(err, c.file.Close()); err != nil {
		os.Remove(c.file.Name())
	}
	return err
}
