// Command work measures how long small reads take, and how late timers are, beside a load.
// cmd/bench/latency runs it in a Linux guest, where it is process 1, and in Yolk.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/latency/internal/lines"
)

const (
	fileSize  = 1 << 20  // bytes, of what is read
	blockSize = 4096     // bytes, of a read that goes to the server
	smallSize = 64       // bytes, of one that does not
	chunk     = 1 << 20  // bytes that a writer writes at a time
	most      = 64 << 20 // bytes that it writes before it begins anew
	pause     = time.Millisecond
)

func main() { guest.Main(run) }

func run(args []string) error {
	set := flag.NewFlagSet("latency", flag.ContinueOnError)
	root := set.String("root", "/", "directory with the files to work on")
	n := set.Int("n", 500, "times that each thing is done")
	if err := set.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(*root, "latency-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, make([]byte, fileSize), 0o644); err != nil {
		return err
	}
	for _, l := range []struct {
		name  string
		start func(dir string, stop *atomic.Bool) (wait func() error)
	}{{"nothing else", idle}, {"two writers of files", write}, {"computing goroutines", compute}} {
		var stop atomic.Bool
		wait := l.start(dir, &stop)
		rows, err := measure(name, *n)
		stop.Store(true)
		if err := errors.Join(err, wait()); err != nil {
			return fmt.Errorf("beside %s: %w", l.name, err)
		}
		for _, r := range rows {
			r.Load = l.name
			fmt.Println(r)
		}
	}
	return nil
}

// measure reads as programs do that wait for something: with a pause before each read.
func measure(name string, n int) (rows []lines.Row, err error) {
	var late []time.Duration
	for _, kind := range []struct {
		what        string
		flags, size int
	}{{"read of 64 B, cached", 0, smallSize}, {"read of 4 KiB from the server", syscall.O_DIRECT, blockSize}} {
		f, err := os.OpenFile(name, os.O_RDONLY|kind.flags, 0)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		p := aligned(kind.size)
		if _, err := f.ReadAt(p, 0); err != nil {
			return nil, err
		}
		times := make([]time.Duration, n)
		for i := range times {
			begin := time.Now()
			time.Sleep(pause)
			woken := time.Now()
			if _, err := f.ReadAt(p, int64(i*blockSize%fileSize)); err != nil {
				return nil, err
			}
			times[i] = time.Since(woken)
			late = append(late, woken.Sub(begin)-pause)
		}
		rows = append(rows, lines.Row{What: kind.what, Spread: lines.SpreadOf(times)})
	}
	return append(rows, lines.Row{What: "timer of 1 ms, late by", Spread: lines.SpreadOf(late)}), nil
}

// aligned returns n bytes that begin a block, as O_DIRECT wants them.
func aligned(n int) []byte {
	p := make([]byte, n+blockSize)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) & (blockSize - 1)
	return p[skip:][:n:n]
}

func idle(string, *atomic.Bool) func() error { return func() error { return nil } }

// write has two goroutines write files from their beginning to their end, again and again.
func write(dir string, stop *atomic.Bool) func() error {
	var all sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		all.Go(func() { errs[i] = writeFile(filepath.Join(dir, fmt.Sprint("written", i)), stop) })
	}
	return func() error {
		all.Wait()
		return errors.Join(errs...)
	}
}

func writeFile(name string, stop *atomic.Bool) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	p := make([]byte, chunk)
	for at := int64(0); !stop.Load(); at = (at + chunk) % most {
		if _, err := f.WriteAt(p, at); err != nil {
			return err
		}
	}
	return nil
}

// compute has two goroutines for each processor compute without a call.
func compute(_ string, stop *atomic.Bool) func() error {
	var all sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for x := uint64(1); !stop.Load(); {
				for range 1000 {
					x = x*6364136223846793005 + 1442695040888963407
				}
				sink.Store(x)
			}
		})
	}
	return func() error { all.Wait(); return nil }
}

var sink atomic.Uint64
