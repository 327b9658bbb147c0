package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// bench measures operations of this machine, or how long a command takes.
func bench(p *process, args []string) error {
	f := p.flags()
	times := f.UintP("times", "n", 10, "")
	dir := f.StringP("directory", "C", os.TempDir(), "")
	f.SetInterspersed(false)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return p.benchCommand(commandLine(f.Args()), int(min(*times, 1<<20)))
	}
	work, err := os.MkdirTemp(p.at(*dir), "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, b := range benchmarks {
		if err := p.benchmark(b, work); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}

// benchCommand runs a command so many times and prints how long that took.
func (p *process) benchCommand(text string, n int) error {
	if n == 0 {
		return usageError("-n 0: at least once")
	}
	sub := *p
	sub.out, sub.stdin = io.Discard, nil
	var took []time.Duration
	for range n {
		start := time.Now()
		if err := sub.shell(strings.NewReader(text), "bench", nil); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	p.printf("%d times: least %v, median %v, most %v\n", n, took[0], took[n/2], took[n-1])
	return nil
}

// benchmark is an operation that is measured.
type benchmark struct {
	name  string
	bytes int64 // that one moves; 0: it moves none
	// start returns what does it n times. It may use a directory, and ends with
	// the context.
	start func(ctx context.Context, dir string) (run func(n int) error, err error)
}

// enough is how long a run has to be for its length to count.
const enough = 200 * time.Millisecond

// benchmark doubles a number of rounds, about, until they take long enough.
func (p *process) benchmark(b benchmark, dir string) error {
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	run, err := b.start(ctx, dir)
	if err != nil {
		return err
	}
	for n := 1; ; {
		if err := p.interrupted(); err != nil {
			return err
		}
		start := time.Now()
		if err := run(n); err != nil {
			return err
		}
		took := time.Since(start)
		if took < enough && n < 1<<40 {
			// A fifth more than it should need, and not a hundred times as many.
			next := int(float64(n) * 1.2 * float64(enough) / float64(max(took, 1)))
			n = max(n+1, min(next, 100*n))
			continue
		}
		each := took / time.Duration(n)
		rate := ""
		if b.bytes > 0 {
			rate = size(uint64(float64(b.bytes)*float64(n)/took.Seconds())) + "/s"
		}
		p.printf("%-34s %12v  %s\n", b.name, each, rate)
		return nil
	}
}

var benchmarks = []benchmark{
	{"call time.Now", 0, func(context.Context, string) (func(int) error, error) {
		return func(n int) error {
			for range n {
				time.Now()
			}
			return nil
		}, nil
	}},
	{"stat a file", 0, func(_ context.Context, dir string) (func(int) error, error) {
		name, err := benchFile(dir)
		return func(n int) error {
			for range n {
				if _, err := os.Stat(name); err != nil {
					return err
				}
			}
			return nil
		}, err
	}},
	{"open and close a file", 0, func(_ context.Context, dir string) (func(int) error, error) {
		name, err := benchFile(dir)
		return func(n int) error {
			for range n {
				f, err := os.Open(name)
				if err != nil {
					return err
				}
				f.Close()
			}
			return nil
		}, err
	}},
	{"read 64 KiB of a file", 64 << 10, func(_ context.Context, dir string) (func(int) error, error) {
		name, err := benchFile(dir)
		if err != nil {
			return nil, err
		}
		buf := make([]byte, 64<<10)
		return func(n int) error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			for range n {
				if _, err := f.ReadAt(buf, 0); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}},
	{"make and remove a file", 0, func(_ context.Context, dir string) (func(int) error, error) {
		name := filepath.Join(dir, "new")
		return func(n int) error {
			for range n {
				f, err := os.Create(name)
				if err != nil {
					return err
				}
				if err := errors.Join(f.Close(), os.Remove(name)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}},
	{"start a goroutine and wait for it", 0, func(context.Context, string) (func(int) error, error) {
		return func(n int) error {
			var wait sync.WaitGroup
			for range n {
				wait.Go(func() {})
				wait.Wait()
			}
			return nil
		}, nil
	}},
	{"send to a goroutine and back", 0, func(ctx context.Context, _ string) (func(int) error, error) {
		there, back := make(chan int), make(chan int)
		go func() {
			for {
				select {
				case i := <-there:
					back <- i
				case <-ctx.Done():
					return
				}
			}
		}()
		return func(n int) error {
			for i := range n {
				there <- i
				<-back
			}
			return nil
		}, nil
	}},
	{"4 KiB through a pipe", 4 << 10, func(_ context.Context, _ string) (func(int) error, error) {
		buf := make([]byte, 4<<10)
		return func(n int) error {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			defer r.Close()
			defer w.Close()
			for range n {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				if _, err := io.ReadFull(r, buf); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}},
	{"a byte by TCP and back, in here", 0, benchTCP},
	{"copy 1 MiB of memory", 1 << 20, func(context.Context, string) (func(int) error, error) {
		from, to := make([]byte, 1<<20), make([]byte, 1<<20)
		return func(n int) error {
			for range n {
				copy(to, from)
			}
			return nil
		}, nil
	}},
	{"SHA-256 of 1 MiB", 1 << 20, func(context.Context, string) (func(int) error, error) {
		data := bytes.Repeat([]byte("yolk"), 1<<18)
		return func(n int) error {
			for range n {
				sha256.Sum256(data)
			}
			return nil
		}, nil
	}},
}

// benchFile makes a file of 64 KiB.
func benchFile(dir string) (string, error) {
	name := filepath.Join(dir, "file")
	return name, os.WriteFile(name, make([]byte, 64<<10), 0o600)
}

func benchTCP(ctx context.Context, _ string) (func(int) error, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		context.AfterFunc(ctx, func() { c.Close() })
		io.Copy(c, c)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	b := make([]byte, 1)
	return func(n int) error {
		for range n {
			if _, err := c.Write(b); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, b); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
