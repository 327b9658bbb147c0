package kernel

import (
	"io"
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/kernel/control"
)

// fileData is what the launcher has of a file of the host.
type fileData struct {
	errno syscall.Errno // 0: it is there
	kind  uint32        // S_IFREG, S_IFDIR or S_IFLNK
	size  int64         // of the file, in bytes
	data  []byte        // of it, from where was asked; or the text of the link
}

// readFile asks the launcher for up to count bytes at off of a file that it offers.
func (l *link) readFile(name string, off int64, count int) fileData {
	l.asking.Lock()
	defer l.asking.Unlock()
	l.tell(control.FileRead, name, strconv.FormatInt(off, 10), strconv.Itoa(min(count, control.MaxData)))
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.data == nil && !l.ended {
		l.news.Wait()
	}
	if l.data == nil {
		return fileData{errno: syscall.EIO}
	}
	d := *l.data
	l.data = nil
	return d
}

// takeData takes an answer of the launcher.
func (l *link) takeData(m control.Message, r *control.Reader) error {
	var n [4]uint64
	for i := range n {
		n[i], _ = m.Count(i)
	}
	d := fileData{errno: syscall.Errno(min(n[0], maxErrno)), size: int64(n[2])}
	switch m.Arg(1) {
	case "file":
		d.kind = syscall.S_IFREG
	case "dir":
		d.kind = syscall.S_IFDIR
	case "link":
		d.kind = syscall.S_IFLNK
	default:
		if d.errno == 0 {
			d.errno = syscall.EIO
		}
	}
	if n[3] > control.MaxData {
		return io.ErrShortBuffer // what follows cannot be told from messages
	}
	d.data = make([]byte, n[3])
	if err := r.Data(d.data); err != nil {
		return err
	}
	l.mu.Lock()
	l.data = &d
	l.mu.Unlock()
	l.news.Broadcast()
	return nil
}
