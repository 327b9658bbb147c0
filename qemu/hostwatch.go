package qemu

import (
	"errors"
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/kernel/control"
	"github.com/yolkos/yolk/qemu/hostwatch"
)

// watching answers what the kernel says of files that it wants watched.
type watching struct {
	link    *link
	watcher *hostwatch.Watcher
}

// watchQueue is how many requests of the kernel may wait.
const watchQueue = 64

// watchShares has the kernel's requests on l answered.
func watchShares(l *link, shares []Share) (*watching, error) {
	dirs := map[string]string{}
	for _, s := range shares {
		dirs[s.Tag] = s.Dir
	}
	w := &watching{link: l}
	var err error
	if w.watcher, err = hostwatch.New(dirs, w); err != nil {
		return nil, err
	}
	l.watching.Store(w)
	return w, nil
}

// Close ends it.
func (w *watching) Close() error {
	w.link.leave()
	w.watcher.Close()
	return nil
}

func (w *watching) do(m control.Message) {
	n, ok := m.Count(0)
	if !ok {
		return
	}
	switch m.Verb {
	case control.Watch:
		ino, err := strconv.ParseUint(m.Arg(2), 10, 64)
		if n > 1<<32-1 || err != nil {
			return
		}
		var e syscall.Errno
		if err := w.watcher.Watch(uint32(n), m.Arg(1), ino, m.Arg(3)); err != nil && !errors.As(err, &e) {
			e = syscall.EIO
		}
		w.link.send(control.Watching, m.Arg(0), strconv.Itoa(int(e)))
	case control.Unwatch:
		w.watcher.Unwatch(uint32(n))
	case control.WatchSync:
		w.watcher.Sync(n)
	}
}

// Event implements hostwatch.Sink.
func (w *watching) Event(id, mask, cookie uint32, name string) {
	args := []string{number(id), number(mask), number(cookie)}
	if name != "" {
		args = append(args, name)
	}
	w.link.send(control.WatchEvent, args...)
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// Lost implements hostwatch.Sink.
func (w *watching) Lost() { w.link.send(control.WatchLost) }

// Synced implements hostwatch.Sink.
func (w *watching) Synced(n uint64) { w.link.send(control.WatchSynced, strconv.FormatUint(n, 10)) }
