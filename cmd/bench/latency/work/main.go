// Command work measures how long small operations take beside goroutines that write or
// compute. cmd/bench/latency runs it in Yolk.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/latency/internal/lines"
)

func main() {
	root := flag.String("root", "", "directory of the host, whose rows are measured; empty: those that need none")
	flag.Parse()
	debug.SetGCPercent(-1) // a cycle is none of the operations
	var err error
	if *root == "" {
		err = tmpfs("/tmp")
	} else {
		err = server(filepath.Join(*root, "latency"))
	}
	if err != nil {
		fmt.Println(lines.Failure(err))
		os.Exit(1)
	}
	fmt.Println(lines.Done)
}

// others is how many goroutines write or compute beside an operation.
const others = 4

// load is what runs beside an operation: others goroutines, each of which does step until
// the operation has been measured.
type load struct {
	name string
	step func(i int) (func() error, error) // of the goroutine i; nil: nothing runs
}

// tmpfs measures what needs no server.
func tmpfs(dir string) error {
	read, err := reading(dir, 64, 0)
	if err != nil {
		return err
	}
	for _, l := range []load{{name: "nothing"}, writing(dir), computing} {
		if err := measure("pread of 64 B, tmpfs", 5000, l, read); err != nil {
			return err
		}
	}
	for _, l := range []load{{name: "nothing"}, writing(dir), computing} {
		err := measure("timer of 1 ms, what it is late", 500, l, func() (time.Duration, error) {
			start := time.Now()
			time.Sleep(time.Millisecond)
			return time.Since(start) - time.Millisecond, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// server measures what a server of the host answers.
func server(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	const page = 4096
	read, err := reading(dir, page, syscall.O_DIRECT)
	if err != nil {
		return err
	}
	for _, l := range []load{{name: "nothing"}, writing(dir), computing} {
		if err := measure("pread of 4 KiB, the server's", 1000, l, read); err != nil {
			return err
		}
	}
	return nil
}

// fileSize is how large files are, in bytes.
const fileSize = 4 << 20

// reading makes a file, and reads size bytes here and there in it.
func reading(dir string, size, flags int) (func() (time.Duration, error), error) {
	name := filepath.Join(dir, "read")
	if err := os.WriteFile(name, make([]byte, fileSize), 0o644); err != nil {
		return nil, err
	}
	fd, err := syscall.Open(name, syscall.O_RDONLY|flags, 0)
	if err != nil {
		return nil, err
	}
	b, at := make([]byte, size), 0
	return func() (time.Duration, error) {
		at = (at + 37*4096) % fileSize
		start := time.Now()
		_, err := syscall.Pread(fd, b, int64(at))
		return time.Since(start), err
	}, nil
}

// writing writes a file each from its beginning to its end, again and again, 1 MiB at a time.
func writing(dir string) load {
	return load{"sequential writers", func(i int) (func() error, error) {
		fd, err := syscall.Open(filepath.Join(dir, fmt.Sprint("written", i)), syscall.O_CREAT|syscall.O_WRONLY, 0o644)
		b, at := make([]byte, 1<<20), 0
		return func() error {
			_, err := syscall.Pwrite(fd, b, int64(at))
			at = (at + len(b)) % (2 * fileSize)
			return err
		}, err
	}}
}

var computing = load{"computing goroutines", func(int) (func() error, error) {
	x := uint64(1)
	return func() error {
		for range 1_000_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		sink.Store(x)
		return nil
	}, nil
}}

var sink atomic.Uint64

// measure does an operation n times beside a load, and tells how long it took.
func measure(name string, n int, l load, op func() (time.Duration, error)) error {
	var stop atomic.Bool
	var wg sync.WaitGroup
	errs := make([]error, others)
	started := make(chan struct{}, others)
	for i := range others {
		if l.step == nil {
			break
		}
		step, err := l.step(i)
		if err != nil {
			return err
		}
		wg.Go(func() {
			for !stop.Load() && errs[i] == nil {
				errs[i] = step()
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range others {
		if l.step != nil {
			<-started
		}
	}
	took := make([]time.Duration, n)
	var err error
	for i := range took {
		if took[i], err = op(); err != nil {
			break
		}
		if i%16 == 15 {
			time.Sleep(100 * time.Microsecond) // programs that only read are not what is meant
		}
	}
	stop.Store(true)
	wg.Wait()
	for _, e := range append(errs, err) {
		if e != nil {
			return fmt.Errorf("%s beside %s: %w", name, l.name, e)
		}
	}
	slices.Sort(took)
	fmt.Println(lines.Row{Operation: name, Beside: l.name, Median: took[n/2], P99: took[n*99/100], Most: took[n-1]})
	return nil
}
