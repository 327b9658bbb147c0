package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/cmd/yolk/internal/trace"
	"github.com/yolkos/yolk/qemu"
)

// traceFlags are the options for a trace of the kernel.
type traceFlags struct {
	file   string
	format options.Choice
	filter string
}

// byName is the format of a trace that its file's name decides.
const byName = "auto"

func (f *traceFlags) add(set *pflag.FlagSet) {
	f.format = options.Choose(byName, string(trace.Text), string(trace.JSON), string(trace.Chrome), string(trace.SVG))
	set.StringVar(&f.file, "trace", "", "write what crosses the kernel's boundaries to this file: system calls, FUSE requests, devices, switches of goroutines")
	set.Var(&f.format, "trace-format", "format of the trace; auto: .json is for Perfetto and Chrome, .jsonl is lines of JSON, .svg a picture, others are text")
	set.StringVar(&f.filter, "trace-filter", "", "what is traced: kinds (call, fuse, notify, irq, idle, sched) and path=PATTERN, separated by commas")
}

// traceFile is a trace under way.
type traceFile struct {
	*trace.Trace
	file *os.File
}

// open makes the file, so that a wrong name is found before anything is built, and has
// the guest of o fill it. It returns nil without --trace.
func (f *traceFlags) open(o *qemu.Options) (*traceFile, error) {
	if f.file == "" {
		if f.filter != "" {
			return nil, errors.New("--trace-filter is for --trace FILE, which is not there")
		}
		return nil, nil
	}
	filter, err := trace.ParseFilter(f.filter)
	if err != nil {
		return nil, fmt.Errorf("--trace-filter: %w", err)
	}
	format := trace.Format(f.format.Value)
	if format == byName {
		format = trace.FormatOf(f.file)
	}
	file, err := os.Create(f.file)
	if err != nil {
		return nil, err
	}
	t, err := trace.New(file, format, filter)
	if err != nil {
		file.Close()
		return nil, err
	}
	o.Events, o.Served, o.Kinds = t.Stream, t.Serve, filter.Needed().String()
	return &traceFile{t, file}, nil
}

// close ends the trace and says on notes what is missing.
func (t *traceFile) close(notes io.Writer) error {
	if n := t.Lost(); n > 0 {
		fmt.Fprintf(notes, "yolk: %d events of the trace were lost: they came faster than they were taken\n", n)
	}
	return errors.Join(t.Trace.Close(), t.file.Close())
}
