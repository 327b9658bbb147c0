package diskfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// FS is a Volume as an io/fs.FS. Package iofs mounts it.
type FS struct {
	v    Volume
	note func(error)

	mu    sync.Mutex
	dirs  map[Ref]map[string]Ref // that were read, maxNames together
	names int
	told  map[string]bool
}

const (
	maxNames = 1 << 16 // that are kept
	maxTold  = 16      // different errors that are told
)

// New makes an io/fs.FS of v. Note is told what is found wrong, each thing once.
func New(v Volume, note func(error)) *FS {
	return &FS{v: v, note: note, dirs: map[Ref]map[string]Ref{}, told: map[string]bool{}}
}

// Guard is deferred by whoever calls a format: a panic there is EIO, with a line that tells where.
func Guard(err *error, note func(error)) {
	if r := recover(); r != nil {
		*err = syscall.EIO
		note(fmt.Errorf("not understood: %v: %s", r, where(string(debug.Stack()))))
	}
}

// where is the line of a stack that panicked: what is behind the last call of panic.
func where(stack string) string {
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	for i := len(lines) - 1; i > 0; i-- {
		if strings.HasPrefix(lines[i], "panic(") && i+3 < len(lines) {
			return strings.TrimSpace(lines[i+3])
		}
	}
	return "at an unknown place"
}

// end is deferred by all that calls the volume.
func (f *FS) end(op, name string, err *error) {
	Guard(err, f.tell)
	switch {
	case *err == nil || *err == io.EOF:
		return
	case errors.Is(*err, syscall.EUCLEAN) || errors.Is(*err, syscall.EIO):
		f.tell(*err)
	}
	*err = &fs.PathError{Op: op, Path: name, Err: *err}
}

// tell notes an error once.
func (f *FS) tell(err error) {
	f.mu.Lock()
	text := err.Error()
	tell := !f.told[text] && len(f.told) < maxTold
	if tell {
		f.told[text] = true
	}
	last := tell && len(f.told) == maxTold
	f.mu.Unlock()
	if tell {
		f.note(err)
	}
	if last {
		f.note(errors.New("more is wrong, and not told"))
	}
}

// find returns the inode of a path.
func (f *FS) find(name string) (Ref, error) {
	if !fs.ValidPath(name) {
		return 0, fs.ErrInvalid
	}
	ref := f.v.Root()
	if name == "." {
		return ref, nil
	}
	above := make([]Ref, 0, 16)
	for part := range strings.SplitSeq(name, "/") {
		above = append(above, ref)
		next, ok, err := f.lookup(ref, part)
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return 0, fs.ErrNotExist
		case slices.Contains(above, next):
			f.tell(fmt.Errorf("directory %q is one of those that it lies in", name))
			return 0, syscall.ELOOP // as Linux has it
		}
		ref = next
	}
	return ref, nil
}

// lookup finds a name in a directory.
func (f *FS) lookup(dir Ref, name string) (ref Ref, ok bool, err error) {
	f.mu.Lock()
	known, has := f.dirs[dir]
	if has {
		ref, ok = known[name]
	}
	f.mu.Unlock()
	if has {
		return ref, ok, nil
	}
	list, full := map[string]Ref{}, false
	err = f.v.ReadDir(dir, func(n string, r Ref) bool {
		if n == name && !ok {
			ref, ok = r, true
		}
		if full = full || len(list) >= maxNames; !full {
			list[n] = r
		}
		return !(ok && full)
	})
	if err != nil {
		return 0, false, err
	}
	if !full {
		f.mu.Lock()
		if f.names += len(list) + 1; f.names > maxNames {
			clear(f.dirs)
			f.names = len(list) + 1
		}
		f.dirs[dir] = list
		f.mu.Unlock()
	}
	return ref, ok, nil
}

// Lstat implements fs.ReadLinkFS.
func (f *FS) Lstat(name string) (info fs.FileInfo, err error) {
	defer f.end("lstat", name, &err)
	ref, err := f.find(name)
	if err != nil {
		return nil, err
	}
	return f.info(ref, name)
}

// Stat implements fs.StatFS. Links are followed by who mounts it.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.Lstat(name) }

// ReadLink implements fs.ReadLinkFS.
func (f *FS) ReadLink(name string) (text string, err error) {
	defer f.end("readlink", name, &err)
	ref, err := f.find(name)
	if err != nil {
		return "", err
	}
	return f.v.ReadLink(ref)
}

// ReadDir implements fs.ReadDirFS: the entries are sorted.
func (f *FS) ReadDir(name string) (list []fs.DirEntry, err error) {
	defer f.end("readdir", name, &err)
	ref, err := f.find(name)
	if err != nil {
		return nil, err
	}
	err = f.v.ReadDir(ref, func(n string, r Ref) bool {
		list = append(list, &entry{f: f, ref: r, name: n})
		return true
	})
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// Open implements fs.FS.
func (f *FS) Open(name string) (_ fs.File, err error) {
	defer f.end("open", name, &err)
	ref, err := f.find(name)
	if err != nil {
		return nil, err
	}
	i, err := f.info(ref, name)
	if err != nil {
		return nil, err
	}
	if i.st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return &file{info: i}, nil
	}
	at, err := f.v.Open(ref)
	if err != nil {
		return nil, err
	}
	return &file{info: i, at: at}, nil
}

func (f *FS) info(ref Ref, name string) (*info, error) {
	i := &info{f: f, name: path.Base(name)}
	return i, f.v.Stat(ref, &i.st)
}

// info is what is known of a file.
type info struct {
	f    *FS
	name string
	st   syscall.Stat_t
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.st.Size }
func (i *info) IsDir() bool        { return i.st.Mode&syscall.S_IFMT == syscall.S_IFDIR }
func (i *info) ModTime() time.Time { return time.Unix(i.st.Mtim.Sec, i.st.Mtim.Nsec) }
func (i *info) Sys() any           { return &i.st }

func (i *info) Mode() fs.FileMode {
	m := fs.FileMode(i.st.Mode & 0o777)
	switch i.st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	}
	return m
}

// entry is a name in a directory; what it leads to is read when somebody asks.
type entry struct {
	f    *FS
	ref  Ref
	name string
}

func (e *entry) Name() string { return e.name }
func (e *entry) IsDir() bool  { return e.Type().IsDir() }

func (e *entry) Type() fs.FileMode {
	i, err := e.Info()
	if err != nil {
		return fs.ModeIrregular
	}
	return i.Mode().Type()
}

func (e *entry) Info() (i fs.FileInfo, err error) {
	defer e.f.end("lstat", e.name, &err)
	return e.f.info(e.ref, e.name)
}

// file is an open file; at is nil if it is not a regular one.
type file struct {
	*info
	at  io.ReaderAt
	pos int64
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	defer f.f.end("read", f.name, &err)
	switch {
	case f.at == nil:
		return 0, syscall.EISDIR
	case off < 0:
		return 0, syscall.EINVAL
	case off >= f.st.Size:
		return 0, io.EOF
	}
	want := len(p)
	p = p[:min(int64(want), f.st.Size-off)]
	if n, err = f.at.ReadAt(p, off); err == nil && n < want {
		err = io.EOF
	}
	return n, err
}
