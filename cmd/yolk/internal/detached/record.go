package detached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Record is a machine as others see it, also when it has been removed meanwhile.
type Record struct {
	Info
	dir  *Dir
	root *os.Root
	lock *os.File
	end  *os.File
}

// State is what a machine is doing.
type State int

// The states.
const (
	Starting State = iota // its program is built, or its kernel boots
	Running
	Ended
	Killed // its process was, or its host: nobody knows how its program ended
)

// KilledStatus is the status of machines that were killed.
const KilledStatus = 128 + int(syscall.SIGKILL)

// Find returns the machine of a name.
func (d *Dir) Find(name string) (*Record, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	r := &Record{dir: d}
	err := r.open(name)
	if err == nil {
		return r, nil
	}
	r.Close()
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("machine %s: %w; yolk ps -a lists those that there are", name, fs.ErrNotExist)
	}
	return nil, err
}

func (r *Record) open(name string) (err error) {
	if r.root, err = os.OpenRoot(filepath.Join(r.dir.path, name)); err != nil {
		return err
	}
	if r.lock, err = r.root.Open("."); err != nil {
		return err
	}
	if r.end, err = r.root.Open(endFile); err != nil {
		return err
	}
	f, err := r.root.Open(infoFile)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := decode(f, &r.Info); err != nil {
		return fmt.Errorf("machine %s: %s: %w", name, infoFile, err)
	}
	r.Name = name
	return nil
}

// decode reads one of the files.
func decode(r io.Reader, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxInfo))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// Close releases r.
func (r *Record) Close() {
	for _, f := range []*os.File{r.lock, r.end} {
		if f != nil {
			f.Close()
		}
	}
	if r.root != nil {
		r.root.Close()
	}
}

// Alive reports whether the machine's process lives.
func (r *Record) Alive() bool {
	if flock(r.lock, unix.LOCK_SH|unix.LOCK_NB) != nil {
		return true
	}
	_ = flock(r.lock, unix.LOCK_UN) // of what is locked
	return false
}

// State tells what the machine is doing, and how it has ended if it has.
func (r *Record) State() (State, End) {
	switch {
	case !r.Alive():
		return r.ended()
	case r.Started.IsZero():
		return Starting, End{}
	}
	return Running, End{}
}

// ended reads how the machine ended. A process that was killed has not said it, at
// least not all of it.
func (r *Record) ended() (State, End) {
	var e End
	if err := decode(io.NewSectionReader(r.end, 0, maxInfo), &e); err != nil {
		return Killed, End{Status: KilledStatus}
	}
	return Ended, e
}

// Done returns a channel that is closed when the machine has ended.
func (r *Record) Done() (<-chan struct{}, error) {
	// A lock is an open file's: this one waits apart from Alive.
	own, err := r.root.Open(".")
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer own.Close()
		if flock(own, unix.LOCK_SH) == nil {
			close(done)
		}
	}()
	return done, nil
}

// Wait waits for the machine's end.
func (r *Record) Wait(ctx context.Context) (State, End, error) {
	done, err := r.Done()
	if err != nil {
		return 0, End{}, err
	}
	select {
	case <-done:
		s, e := r.ended()
		return s, e, nil
	case <-ctx.Done():
		return 0, End{}, context.Cause(ctx)
	}
}

// Signal sends a signal to the machine's process; os.ErrProcessDone if it has
// ended.
func (r *Record) Signal(sig syscall.Signal) error {
	p, err := os.FindProcess(r.Pid) // by a pidfd: whatever has the number now
	if err != nil {
		return err
	}
	defer p.Release()
	if !r.Alive() { // whoever lives now lived before: p is that
		return os.ErrProcessDone
	}
	if err := p.Signal(sig); err != nil {
		return fmt.Errorf("signal for machine %s, process %d: %w", r.Name, r.Pid, err)
	}
	return nil
}

// Remove removes what is left of a machine that has ended.
func (r *Record) Remove() error {
	if r.Alive() {
		return fmt.Errorf("machine %s has not ended: yolk stop %[1]s ends it, yolk rm -f %[1]s does both", r.Name)
	}
	// What has the name may be another machine by now.
	now, err := os.Stat(filepath.Join(r.dir.path, r.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if own, err := r.lock.Stat(); err != nil || !os.SameFile(own, now) {
		return err
	}
	if err := r.dir.drop(r.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// KillSignal has a machine in the background end at once, but in good order: its
// log and its status are kept. It is a signal that no guest's program gets from outside.
const KillSignal = syscall.SIGXCPU
