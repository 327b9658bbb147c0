package detached

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Entry is a record of a log.
type Entry struct {
	Stream Stream
	Time   time.Time
	Text   []byte
}

// Reader reads a log from its oldest record on, while it is written.
type Reader struct {
	Lost   bool // records are missing between the last one and the one before
	root   *os.Root
	file   *os.File
	number int
	off    int64
	buf    []byte // what was read at off
}

// Log returns a reader of the machine's log.
func (r *Record) Log() *Reader { return &Reader{root: r.root} }

// Close releases r.
func (r *Reader) Close() {
	if r.file != nil {
		r.file.Close()
	}
}

// Next returns the next record, io.EOF if there is none yet.
func (r *Reader) Next() (Entry, error) {
	r.Lost = false
	for {
		if r.file == nil {
			if err := r.open(); err != nil {
				return Entry{}, err
			}
		}
		e, err := r.record()
		if err != io.EOF {
			return e, err
		}
		// Is there another file? Only then is this one complete.
		file, number, start, err := r.newer()
		if err != nil {
			return Entry{}, err
		}
		if e, err := r.record(); err != io.EOF {
			file.Close()
			return e, err
		}
		r.Lost = number != r.number+1
		r.file.Close()
		r.file, r.number, r.off, r.buf = file, number, start, nil
	}
}

func (r *Reader) open() error {
	file, number, start, err := r.newer()
	if err == nil {
		r.Lost = number != 1
		r.file, r.number, r.off = file, number, start
	}
	return err
}

// newer opens the first file behind the one that is read, io.EOF if there is none.
// What is renamed in between is found all the same, as the newer one is looked at
// before.
func (r *Reader) newer() (found *os.File, number int, start int64, err error) {
	for _, name := range []string{logFile, olderLog} {
		f, err := r.root.Open(name)
		if err != nil {
			continue // none, or removed
		}
		n, size, err := numberOf(f)
		if err != nil || n <= r.number || found != nil && n >= number {
			f.Close()
			if err != nil && err != io.EOF {
				return nil, 0, 0, err
			}
			continue
		}
		if found != nil {
			found.Close()
		}
		found, number, start = f, n, size
	}
	if found == nil {
		err = io.EOF
	}
	return found, number, start, err
}

// numberOf reads the first line of a file, io.EOF if it is not whole yet.
func numberOf(f *os.File) (number int, size int64, err error) {
	var b [len(logMark) + 24]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil && err != io.EOF {
		return 0, 0, err
	}
	line, _, ok := bytes.Cut(b[:n], []byte("\n"))
	if !ok && n < len(b) {
		return 0, 0, io.EOF
	}
	text, ok := strings.CutPrefix(string(line), logMark)
	number, err = strconv.Atoi(text)
	if !ok || err != nil || number < 1 {
		return 0, 0, fmt.Errorf("%s: first line %.40q: want %qN", f.Name(), line, logMark)
	}
	return number, int64(len(line)) + 1, nil
}

// maxHead is more than the line of a record has, in bytes.
const maxHead = 80

// record reads the record at r.off, io.EOF if it is not all there yet.
func (r *Reader) record() (e Entry, err error) {
	if err := r.fill(maxHead); err != nil {
		return e, err
	}
	line, _, ok := bytes.Cut(r.buf, []byte("\n"))
	if !ok && len(r.buf) < maxHead {
		return e, io.EOF
	}
	words := strings.Split(string(line[:min(len(line), maxHead)]), " ")
	size := -1
	if len(words) == 3 {
		e.Stream = Stream(words[0])
		if e.Time, err = time.Parse(timeFormat, words[1]); err == nil {
			size, err = strconv.Atoi(words[2])
		}
	}
	if err != nil || size < 0 || size > maxRecord {
		return e, fmt.Errorf("%s, byte %d: line %.80q is not that of a record", r.file.Name(), r.off, line)
	}
	if err := r.fill(len(line) + 1 + size); err != nil {
		return e, err
	}
	if len(r.buf) < len(line)+1+size {
		return e, io.EOF
	}
	e.Text = bytes.Clone(r.buf[len(line)+1:][:size])
	r.off += int64(len(line) + 1 + size)
	r.buf = r.buf[len(line)+1+size:]
	return e, nil
}

// readAhead is how much is read at once, in bytes, at least.
const readAhead = 64 << 10

// fill has r.buf hold n bytes, or what there is.
func (r *Reader) fill(n int) error {
	if len(r.buf) >= n {
		return nil
	}
	b := make([]byte, max(n, readAhead))
	k, err := r.file.ReadAt(b, r.off)
	r.buf = b[:k]
	if err != nil && err != io.EOF {
		return err
	}
	return nil
}

// Changes returns a channel that gets something when the log may have grown, until
// stop is called.
func (r *Record) Changes() (changed <-chan struct{}, stop func(), err error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, nil, fmt.Errorf("inotify_init1: %w", err)
	}
	f := os.NewFile(uintptr(fd), "inotify") // it can be closed while it is read
	self := fmt.Sprintf("/proc/self/fd/%d", r.lock.Fd())
	if _, err := unix.InotifyAddWatch(fd, self, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("inotify_add_watch: %w", err)
	}
	c := make(chan struct{}, 1)
	go func() {
		for b := make([]byte, 4096); ; {
			if _, err := f.Read(b); err != nil {
				return
			}
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}()
	return c, func() { f.Close() }, nil
}
