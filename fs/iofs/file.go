package iofs

import (
	"io"
	"io/fs"
	"sync"
	"syscall"

	vfs "github.com/yolkos/yolk/fs"
)

// openFile opens a regular file. It is read where the reader asks, by ReadAt if the
// io/fs.File has it, by Seek, and else from the start up to there.
func (n *node) openFile() (vfs.File, error) {
	f, err := n.fs.fsys.Open(n.name)
	if err != nil {
		return nil, n.fs.errno(err)
	}
	n.Ref()
	if at, ok := f.(io.ReaderAt); ok {
		return &file{node: n, f: f, at: at}, nil
	}
	return &file{node: n, f: f, at: &serial{node: n, f: f}}, nil
}

// file is an open regular file.
type file struct {
	readOnlyFile
	*node
	f  fs.File
	at io.ReaderAt
}

func (f *file) Getattr(a *vfs.Attr) error { return f.node.Getattr(a) }

func (f *file) Setattr(*vfs.SetAttr, *vfs.Attr) error { return syscall.EROFS }

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, syscall.EINVAL
	case len(p) == 0 || off >= f.attr.Size:
		return 0, nil
	}
	n, err := f.at.ReadAt(p, off)
	if n > 0 || err == io.EOF {
		return n, nil
	}
	return n, f.fs.errno(err)
}

func (f *file) Release() {
	if s, ok := f.at.(*serial); ok {
		s.close()
	} else {
		f.f.Close()
	}
	f.Unref()
}

// serial reads at any place a file that is read from its start on.
type serial struct {
	node *node
	mu   sync.Mutex
	f    fs.File // nil: it could not be opened again
	pos  int64
}

func (s *serial) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.seek(off); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.f, p)
	s.pos += int64(n)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// seek makes off the position of the file.
func (s *serial) seek(off int64) error {
	if s.f != nil && s.pos == off {
		return nil
	}
	if seeker, ok := s.f.(io.Seeker); ok {
		_, err := seeker.Seek(off, io.SeekStart)
		if err == nil {
			s.pos = off
		}
		return err
	}
	if s.f == nil || off < s.pos {
		s.closeFile()
		f, err := s.node.fs.fsys.Open(s.node.name)
		if err != nil {
			return err
		}
		s.f, s.pos = f, 0
	}
	n, err := io.CopyN(io.Discard, s.f, off-s.pos)
	s.pos += n
	return err
}

func (s *serial) close() {
	s.mu.Lock()
	s.closeFile()
	s.mu.Unlock()
}

func (s *serial) closeFile() {
	if s.f != nil {
		s.f.Close()
	}
	s.f = nil
}

// readOnly answers what would change a node.
type readOnly struct{ vfs.Unsupported }

func (readOnly) Setattr(*vfs.SetAttr, *vfs.Attr) error    { return syscall.EROFS }
func (readOnly) Link(string, vfs.Node) (vfs.Entry, error) { return vfs.Entry{}, syscall.EROFS }
func (readOnly) Unlink(string) error                      { return syscall.EROFS }
func (readOnly) Rmdir(string) error                       { return syscall.EROFS }
func (readOnly) Rename(string, vfs.Node, string, uint32) error {
	return syscall.EROFS
}

func (readOnly) Create(string, int, uint32, uint32) (vfs.Entry, vfs.File, error) {
	return vfs.Entry{}, nil, syscall.EROFS
}

func (readOnly) Mknod(string, uint32, uint32, uint32) (vfs.Entry, error) {
	return vfs.Entry{}, syscall.EROFS
}

func (readOnly) Mkdir(string, uint32, uint32) (vfs.Entry, error) {
	return vfs.Entry{}, syscall.EROFS
}

func (readOnly) Symlink(string, string) (vfs.Entry, error) {
	return vfs.Entry{}, syscall.EROFS
}

// readOnlyFile is what open files and directories have in common.
type readOnlyFile struct{}

func (readOnlyFile) WriteAt([]byte, int64) (int, int64, error)    { return 0, 0, syscall.EBADF }
func (readOnlyFile) ReadDir(uint64, func(*vfs.Dirent) bool) error { return syscall.ENOTDIR }
func (readOnlyFile) Fsync(bool) error                             { return nil }

// SetFlags implements fs.FlagFile: there is nothing that they change.
func (readOnlyFile) SetFlags(int) error { return nil }

func (readOnlyFile) Flush() error { return nil }
