package fs

import "syscall"

// Unsupported is embedded by Nodes for the methods that do not apply to them:
// every method of Node but Getattr, answering as Linux does where a file
// system lacks the operation. Ref and Unref do nothing, which is right for
// nodes that the garbage collector may keep track of.
type Unsupported struct{}

func (Unsupported) Ref()                             {}
func (Unsupported) Unref()                           {}
func (Unsupported) Setattr(*SetAttr, *Attr) error    { return syscall.EPERM }
func (Unsupported) Lookup(string) (Entry, error)     { return Entry{}, syscall.ENOTDIR }
func (Unsupported) Readlink() (string, error)        { return "", syscall.EINVAL }
func (Unsupported) Open(int) (File, error)           { return nil, syscall.ENXIO }
func (Unsupported) Link(string, Node) (Entry, error) { return Entry{}, syscall.EPERM }
func (Unsupported) Unlink(string) error              { return syscall.EPERM }
func (Unsupported) Rmdir(string) error               { return syscall.EPERM }

func (Unsupported) Create(string, int, uint32, uint32) (Entry, File, error) {
	return Entry{}, nil, syscall.EPERM
}

func (Unsupported) Mknod(string, uint32, uint32, uint32) (Entry, error) {
	return Entry{}, syscall.EPERM
}

func (Unsupported) Mkdir(string, uint32, uint32) (Entry, error) {
	return Entry{}, syscall.EPERM
}

func (Unsupported) Symlink(string, string) (Entry, error) {
	return Entry{}, syscall.EPERM
}

func (Unsupported) Rename(string, Node, string, uint32) error { return syscall.EPERM }

// UnsupportedFile is embedded by Files for the methods that do not apply to
// them: every method of File but Getattr.
type UnsupportedFile struct{}

func (UnsupportedFile) Setattr(*SetAttr, *Attr) error             { return syscall.EPERM }
func (UnsupportedFile) ReadAt([]byte, int64) (int, error)         { return 0, syscall.EINVAL }
func (UnsupportedFile) WriteAt([]byte, int64) (int, int64, error) { return 0, 0, syscall.EINVAL }
func (UnsupportedFile) ReadDir(uint64, func(*Dirent) bool) error  { return syscall.ENOTDIR }
func (UnsupportedFile) Fsync(bool) error                          { return syscall.EINVAL }
func (UnsupportedFile) Flush() error                              { return nil }
func (UnsupportedFile) Release()                                  {}
