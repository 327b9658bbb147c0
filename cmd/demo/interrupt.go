package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"
)

// errInterrupted is the error of a command that Ctrl-C has ended.
var errInterrupted = errors.New("interrupted")

// interrupted is the error of a command that is to end, at places where one may
// take long.
func (s *shell) interrupted() error {
	select {
	case <-s.stop:
		return errInterrupted
	default:
		return nil
	}
}

// stoppable is a reader or writer that fails once its shell is interrupted.
type stoppable struct {
	s *shell
	r io.Reader
	w io.Writer
}

func (c stoppable) Read(p []byte) (int, error) {
	if err := c.s.interrupted(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func (c stoppable) Write(p []byte) (int, error) {
	if err := c.s.interrupted(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// stoppableFS is a file system whose files fail likewise.
type stoppableFS struct {
	s *shell
	fs.FS
}

type stoppableFile struct {
	s *shell
	fs.File
}

func (f stoppableFile) Read(p []byte) (int, error) { return stoppable{s: f.s, r: f.File}.Read(p) }

func (f stoppableFS) Open(name string) (fs.File, error) {
	if err := f.s.interrupted(); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return file, nil // with its ReadDir
	}
	return stoppableFile{f.s, file}, nil
}

func (f stoppableFS) ReadLink(name string) (string, error)   { return fs.ReadLink(f.FS, name) }
func (f stoppableFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(f.FS, name) }

const ctrlC = 3

// dropLine are keys that have a line editor go to the end of the line, take it
// away, and start another.
var dropLine = []byte{'E' - '@', 'U' - '@', '\r'}

// keyboard reads what is typed even while a command runs, so that Ctrl-C is seen
// at once. It ends the command, or else the line that is being typed, and what
// was typed ahead.
type keyboard struct {
	mu   sync.Mutex
	more sync.Cond
	keys []byte
	err  error         // the end of the input, behind keys
	stop chan struct{} // of the command that runs and shall go on; nil: there is none
	// pending is a Ctrl-C for what comes next: a command whose line has been
	// read, or the editor's next look at the keys.
	pending bool
}

func newKeyboard(in io.Reader) *keyboard {
	k := &keyboard{}
	k.more.L = &k.mu
	go func() {
		buf := make([]byte, 256)
		for {
			n, err := in.Read(buf)
			k.typed(buf[:n], err)
			if err != nil {
				return
			}
		}
	}()
	return k
}

func (k *keyboard) typed(keys []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := bytes.LastIndexByte(keys, ctrlC); i >= 0 {
		keys, k.keys = keys[i+1:], nil
		if k.stop != nil {
			close(k.stop)
			k.stop = nil
		} else {
			k.pending = true
		}
	}
	k.keys = append(k.keys, keys...)
	k.err = err
	k.more.Broadcast()
}

// Read returns keys as they come.
func (k *keyboard) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.keys) == 0 && k.err == nil && !k.pending {
		k.more.Wait()
	}
	if k.pending {
		k.pending = false
		k.keys = append(dropLine[:len(dropLine):len(dropLine)], k.keys...)
	}
	if len(k.keys) == 0 {
		return 0, k.err
	}
	n := copy(p, k.keys)
	k.keys = k.keys[n:]
	return n, nil
}

// patience is how long a command may take to end after Ctrl-C. One that waits for
// something else, a FIFO for example, is left behind.
const patience = time.Second

// run runs a command, which is to end when the channel that it is given closes.
func (k *keyboard) run(command func(stop <-chan struct{}) error) error {
	stop := make(chan struct{})
	k.mu.Lock()
	if k.pending {
		close(stop)
		k.pending = false
	} else {
		k.stop = stop
	}
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.stop = nil
		k.mu.Unlock()
	}()
	done := make(chan error, 1)
	go func() { done <- command(stop) }()
	select {
	case err := <-done:
		return err
	case <-stop:
	}
	select {
	case <-done:
	case <-time.After(patience):
	}
	return errInterrupted
}
