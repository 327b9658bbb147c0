package detached

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Stream is one of those that a log is made of.
type Stream string

// The streams.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr" // and panics
	Kernel Stream = "kernel" // the kernel's log, and what yolk says
)

// A log is two files, of which the older one is lost when the newer one is full. A file
// begins with a line that has its number, logMark and a decimal; each file's number is
// one more than that of the file before. Then it has records: a line
//
//	stdout 2006-01-02T15:04:05.999999999Z SIZE
//
// with the stream, the time, and how many bytes follow.
const (
	logFile  = "log"
	olderLog = "log.1"
	logMark  = "yolk log "

	timeFormat = "2006-01-02T15:04:05.000000000Z07:00"
)

// maxLog is how large one of the files becomes, in bytes, and a record follows.
const maxLog = 8 << 20

// maxRecord is how many bytes a record may have: a longer write makes several.
const maxRecord = 1 << 20

// Log writes what a machine has to say. It never fails: what there is no room for is
// lost, and a record says so once there is room again.
type Log struct {
	max int64 // maxLog, but for tests
	now func() time.Time

	mu     sync.Mutex
	root   *os.Root
	file   *os.File
	number int
	size   int64 // of the file
	lost   int64 // bytes
}

func newLog(root *os.Root) (*Log, error) {
	l := &Log{max: maxLog, now: time.Now, root: root}
	return l, l.begin()
}

// begin makes the next file.
func (l *Log) begin() error {
	f, err := l.root.OpenFile(logFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := fmt.Fprintf(f, "%s%d\n", logMark, l.number+1)
	if err != nil {
		f.Close()
		return errors.Join(err, l.root.Remove(logFile))
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.size = f, int64(n)
	l.number++
	return nil
}

func (l *Log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// writer is a stream of a log.
type writer struct {
	log    *Log
	stream Stream
}

func (w *writer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxRecord)
		w.log.add(w.stream, rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

// Writer returns a writer for a stream, which does not fail.
func (l *Log) Writer(s Stream) *writer { return &writer{l, s} }

func (l *Log) add(s Stream, p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost > 0 && l.put(Kernel, fmt.Appendf(nil, "yolk: there was no room for %d bytes of the log\n", l.lost)) {
		l.lost = 0
	}
	if l.lost > 0 || !l.put(s, p) {
		l.lost += int64(len(p))
	}
}

// put adds a record, or nothing. l.mu is held.
func (l *Log) put(s Stream, p []byte) bool {
	if l.file == nil {
		return false
	}
	if l.size >= l.max && !l.turn() {
		return false
	}
	b := fmt.Appendf(make([]byte, 0, len(p)+64), "%s %s %d\n", s, l.now().UTC().Format(timeFormat), len(p))
	b = append(b, p...)
	if _, err := l.file.WriteAt(b, l.size); err != nil {
		_ = l.file.Truncate(l.size) // else the next one overwrites it
		return false
	}
	l.size += int64(len(b))
	return true
}

// turn begins the next file; the one before last is gone.
func (l *Log) turn() bool {
	if err := l.root.Rename(logFile, olderLog); err != nil {
		return false
	}
	if err := l.begin(); err != nil {
		_ = l.root.Rename(olderLog, logFile) // it goes on there
		return false
	}
	return true
}
