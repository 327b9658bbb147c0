// Package detached keeps what there is to know of the machines that run in the
// background, a directory each, below one that only their user can enter:
//
//	lock on the directory    held by the machine's process as long as it lives
//	machine.json             an Info, replaced as a whole
//	end.json                 empty, then an End: written once, when the machine has ended
//	log, log.1               what it has written, newest and older: see Log
//
// Nothing else runs beside the machines: whether one does is what its lock says,
// whatever has ended it, and a process that has got its number is never taken
// for it.
package detached

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Info is what a machine is.
type Info struct {
	Name    string    `json:"name"`
	Pid     int       `json:"pid"` // of the process of yolk that it lives in
	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"` // when its program was about to start
	Program []string  `json:"program"`          // its arguments, the name first
	Ports   []string  `json:"ports,omitempty"`  // of the host, and where they lead
	Remove  bool      `json:"remove,omitempty"` // nothing is left of it when it has ended
}

// End is how a machine ended.
type End struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`        // that yolk run would have ended with
	Why    string    `json:"why,omitempty"` // what yolk run would have said
}

// Dir is the directory of a user's machines.
type Dir struct{ path string }

// names of the files of a machine
const (
	infoFile = "machine.json"
	endFile  = "end.json"
)

// maxInfo is more than a file of them has, in bytes.
const maxInfo = 1 << 20

// Open opens the directory of the machines of this user: in $XDG_RUNTIME_DIR, or
// where that would be, else below /tmp. It has to be a directory of this user that
// others cannot enter.
func Open() (*Dir, error) {
	uid := os.Geteuid()
	return open(place(uid, os.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", uid)), uid)
}

// place chooses what may be made: below the first base that is a user's alone.
func place(uid int, bases ...string) string {
	for _, base := range bases {
		// With sudo it may be somebody else's.
		if filepath.IsAbs(base) && private(base, uid) == nil {
			return filepath.Join(base, "yolk")
		}
	}
	return fmt.Sprintf("/tmp/yolk-%d", uid)
}

func open(dir string, uid int) (*Dir, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("no place for what there is to know of machines: %w", err)
	}
	if err := private(dir, uid); err != nil {
		return nil, fmt.Errorf("no place for what there is to know of machines: %w", err)
	}
	d := &Dir{filepath.Join(dir, "machines")}
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return d, nil
}

// private reports why others than a user might reach into a directory.
func private(dir string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is not a directory", dir)
	case int(st.Uid) != uid:
		return fmt.Errorf("%s belongs to user %d, not to user %d", dir, st.Uid, uid)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("%s may be entered by others (mode %#o): want 0700", dir, st.Mode&0o777)
	}
	return nil
}

// maxName is the longest name, in bytes.
const maxName = 64

// CheckName reports what is wrong with the name of a machine.
func CheckName(name string) error {
	if name == "" || len(name) > maxName || strings.Trim(name[:1], letters) != "" || strings.Trim(name, letters+"_.-") != "" {
		return fmt.Errorf("name %q: want letters, digits, and _ . - behind the first one, %d at most", name, maxName)
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// NameFor makes a name of that of a program.
func NameFor(program string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters+"_.-", r) {
			return r
		}
		return '-'
	}, filepath.Base(program))
	name = strings.TrimLeft(name, "_.-")
	if name == "" {
		return "machine"
	}
	return name[:min(len(name), maxName-len(lastSuffix))]
}

// lastSuffix is the longest that ClaimFree adds to a name.
const lastSuffix = "-9999"

// TakenError is the error of Claim for a name that a machine has.
type TakenError struct{ Name string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("there is a machine %s already: yolk ps -a shows it, yolk rm %[1]s removes it when it has ended", e.Name)
}

// Own is a machine in the process that it lives in.
type Own struct {
	Info Info
	dir  *Dir
	root *os.Root
	lock *os.File // the directory
	end  *os.File
	Log  *Log
}

// ClaimFree is Claim for name, or else for the first of name-2, name-3 and so on
// that is free.
func (d *Dir) ClaimFree(name string) (*Own, error) {
	own, err := d.Claim(name)
	for n := 2; n <= 9999; n++ {
		var taken *TakenError
		if !errors.As(err, &taken) {
			break
		}
		own, err = d.Claim(fmt.Sprintf("%s-%d", name, n))
	}
	return own, err
}

// Claim takes a name for a machine of this process, until it is removed. The error may
// be a *TakenError.
func (d *Dir) Claim(name string) (*Own, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	// It gets its name when it is complete and locked: nobody sees it before.
	temp, err := os.MkdirTemp(d.path, ".new-")
	if err != nil {
		return nil, err
	}
	own := &Own{Info: Info{Name: name, Pid: os.Getpid(), Created: time.Now()}, dir: d}
	if err = own.make(temp); err == nil {
		// A directory with something in it is never replaced.
		err = os.Rename(temp, filepath.Join(d.path, name))
	}
	if err == nil {
		return own, nil
	}
	own.close()
	os.RemoveAll(temp)
	if errors.Is(err, fs.ErrExist) {
		err = &TakenError{name}
	}
	return nil, err
}

// make makes the files in a directory, and locks it.
func (o *Own) make(dir string) (err error) {
	if o.root, err = os.OpenRoot(dir); err != nil {
		return err
	}
	if o.lock, err = o.root.Open("."); err != nil {
		return err
	}
	if err = flock(o.lock, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock on %s: %w", dir, err)
	}
	if o.end, err = o.root.OpenFile(endFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	if o.Log, err = newLog(o.root); err != nil {
		return err
	}
	return o.Save()
}

func (o *Own) close() {
	if o.Log != nil {
		o.Log.close()
	}
	if o.end != nil {
		o.end.Close()
	}
	if o.root != nil {
		o.root.Close()
	}
	if o.lock != nil {
		o.lock.Close() // and the lock with it
	}
}

// Save writes what Info says.
func (o *Own) Save() error {
	data, err := json.Marshal(&o.Info)
	if err != nil {
		return err
	}
	const temp = infoFile + ".new"
	if err := o.root.WriteFile(temp, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return o.root.Rename(temp, infoFile)
}

// Ended tells how the machine has ended and gives its lock back. It is removed if
// Info says so.
func (o *Own) Ended(e End) error {
	defer o.close()
	data, err := json.Marshal(&e)
	if err == nil {
		_, err = o.end.Write(append(data, '\n'))
	}
	if o.Info.Remove {
		err = errors.Join(err, o.dir.drop(o.Info.Name))
	}
	return err
}

// drop removes a machine's directory. Its name is free before its files go.
func (d *Dir) drop(name string) error {
	old, err := os.MkdirTemp(d.path, ".old-")
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(d.path, name), filepath.Join(old, name)); err != nil {
		os.Remove(old)
		return err
	}
	return os.RemoveAll(old)
}

// Names lists the machines that there are.
func (d *Dir) Names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if CheckName(e.Name()) == nil && e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}
