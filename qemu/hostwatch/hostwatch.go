// Package hostwatch watches, with inotify(7), files of the host that a guest
// watches in the directories that it shares. What the guest says is a
// stranger's: a path leads to nothing outside of its share.
package hostwatch

import (
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// MaxWatches is how many files are watched for a guest at most. The host's own
// bound, fs.inotify.max_user_watches, is for all programs of a user.
const MaxWatches = 1 << 16

// changes are the events that the guest is told of: what changes names, data or
// attributes. Who reads is not its business, nor is what becomes of a file, by
// those who have it open, after its name is gone.
const changes = unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_CREATE | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_EXCL_UNLINK

// Sink takes what the host tells. Its methods are called one at a time, in the
// order of the events. They may block: then the host's queue fills up, and what
// it has no room for is Lost.
type Sink interface {
	// Event is an event of watch id, with mask, cookie and name as of inotify.
	Event(id, mask, cookie uint32, name string)
	// Lost says that events are missing.
	Lost()
	// Synced answers Sync.
	Synced(n uint64)
}

// Watcher watches for one guest. Its methods may be called from many goroutines.
type Watcher struct {
	sink  Sink
	roots map[string]*os.File // of the shares, by tag

	mu       sync.Mutex // held while the sink is called
	closed   bool
	file     *os.File // the inotify instance; nil before the first watch
	fd       int      // its descriptor
	ids      map[uint32]int
	watches  map[int][]uint32 // ids by the host's number: one file may be in two shares
	noBeyond bool             // the host has no openat2
}

// New makes a Watcher for shares, directories of the host by tag.
func New(shares map[string]string, sink Sink) (*Watcher, error) {
	w := &Watcher{sink: sink, roots: map[string]*os.File{}, ids: map[uint32]int{}, watches: map[int][]uint32{}}
	for tag, dir := range shares {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			w.Close()
			return nil, &os.PathError{Op: "open", Path: dir, Err: err}
		}
		w.roots[tag] = os.NewFile(uintptr(fd), dir)
	}
	return w, nil
}

// Watch begins to tell of the file at path, slash-separated from the root of
// the share tag, under the number id. ESTALE: its inode is not ino. ENOSPC:
// MaxWatches, or the host's bound, is reached. Other errors are the host's.
func (w *Watcher) Watch(id uint32, tag string, ino uint64, path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	root := w.roots[tag]
	_, used := w.ids[id]
	switch {
	case w.closed, root == nil:
		return syscall.ENODEV
	case used:
		return syscall.EEXIST
	case len(w.ids) >= MaxWatches:
		return syscall.ENOSPC
	}
	if err := w.begin(); err != nil {
		return err
	}
	fd, err := w.open(int(root.Fd()), path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Ino != ino {
		return syscall.ESTALE
	}
	// What happened before is not for id, though the file may be watched already.
	w.drain()
	wd, err := unix.InotifyAddWatch(w.fd, fdPath(fd), changes)
	if err != nil {
		return err
	}
	w.ids[id] = wd
	w.watches[wd] = append(w.watches[wd], id)
	return nil
}

// begin makes the inotify instance; w.mu is held.
func (w *Watcher) begin() error {
	if w.file != nil {
		return nil
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return err
	}
	w.file, w.fd = os.NewFile(uintptr(fd), "inotify"), fd
	raw, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	go raw.Read(func(uintptr) (done bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.drain()
		return w.closed
	})
	return nil
}

// Unwatch ends what Watch began.
func (w *Watcher) Unwatch(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wd, ok := w.ids[id]
	if !ok {
		return
	}
	delete(w.ids, id)
	ids := slices.DeleteFunc(w.watches[wd], func(o uint32) bool { return o == id })
	if w.watches[wd] = ids; len(ids) > 0 {
		return
	}
	delete(w.watches, wd)
	if !w.closed {
		_, _ = unix.InotifyRmWatch(w.fd, uint32(wd)) // it may have ended by itself
	}
}

// Sync has the sink told of all that happened before the call, and then calls
// Synced(n).
func (w *Watcher) Sync(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.drain()
	w.sink.Synced(n)
}

// Close ends all watches. A sink that blocks must have been freed.
func (w *Watcher) Close() {
	w.mu.Lock()
	closed, file := w.closed, w.file
	w.closed = true
	w.mu.Unlock()
	if closed {
		return
	}
	if file != nil {
		file.Close() // waits for the reader, which takes w.mu
	}
	for _, f := range w.roots {
		f.Close()
	}
}

// drain passes on all events that there are; w.mu is held.
func (w *Watcher) drain() {
	var buf [16 << 10]byte
	for !w.closed && w.file != nil {
		n, err := unix.Read(w.fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		w.pass(buf[:n])
	}
}

// pass passes on whole records of the host's kernel: struct inotify_event.
func (w *Watcher) pass(b []byte) {
	for len(b) >= unix.SizeofInotifyEvent {
		wd := int(int32(binary.NativeEndian.Uint32(b)))
		mask := binary.NativeEndian.Uint32(b[4:])
		cookie := binary.NativeEndian.Uint32(b[8:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00")
		b = b[end:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			w.sink.Lost()
			continue
		}
		for _, id := range w.watches[wd] {
			w.sink.Event(id, mask, cookie, name)
		}
		if mask&unix.IN_IGNORED != 0 {
			for _, id := range w.watches[wd] {
				delete(w.ids, id)
			}
			delete(w.watches, wd)
		}
	}
}
