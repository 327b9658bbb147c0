package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

const (
	guestMemory = 1 << 30 // bytes
	guestTime   = 20 * time.Minute
)

// counted is a row, and what QEMU's log has of its least batch.
type counted struct {
	ops.Row
	*batch
}

// count runs a program in a system, and returns its rows. logged are the arguments by
// which QEMU logs what is wanted to a file.
func count(ctx context.Context, l *lab.Lab, s lab.System, program string, args []string, logged func(file string) []string) ([]counted, error) {
	root, err := os.MkdirTemp("", "yolk-count-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	scratch, err := os.MkdirTemp(l.Dir, "log-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	own := *l
	own.Root = root
	var rows []ops.Row
	take := func(line string) bool {
		r, ok := ops.Parse(line)
		if ok {
			rows = append(rows, r)
		}
		return ok
	}
	batches, err := follow(filepath.Join(scratch, "log"), func(log string) error {
		s.QEMU = append(s.QEMU, logged(log)...)
		return own.Collect(ctx, &s, program, guestMemory, guestTime, args, take)
	})
	if err != nil {
		return nil, err
	}
	var all []counted
	for _, r := range rows {
		b := batches[r.Number]
		if r.Number == ops.Unmarked {
			all = append(all, counted{r, nil})
			continue
		}
		if b == nil {
			return nil, fmt.Errorf("%s: QEMU's log has no mark of it (%s)", r.Name, strings.Join(logged("FILE"), " "))
		}
		if b.exits[notify] == 0 {
			b.exits[notify] = r.Notifications * float64(r.Batch)
		}
		all = append(all, counted{r, b})
	}
	return all, nil
}

// follow calls run with a pipe for QEMU's log, and returns what came through it.
func follow(pipe string, run func(log string) error) (map[int]*batch, error) {
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		return nil, &os.PathError{Op: "mkfifo", Path: pipe, Err: err}
	}
	r, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which waits for no writer
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // so that it has not ended before QEMU opens it
	if err != nil {
		return nil, err
	}
	var batches map[int]*batch
	read := make(chan error, 1)
	go func() {
		var err error
		batches, err = readLog(r)
		if err != nil {
			r.Close() // QEMU does not wait for somebody who has gone
		}
		read <- err
	}()
	err = run(pipe)
	w.Close()
	return batches, errors.Join(err, <-read)
}
