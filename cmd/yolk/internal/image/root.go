package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/fs/archive"
)

// Source is a directory of the host, or a file, that goes into the root of an image.
type Source struct {
	Host string
	Path string // in the guest, absolute
}

// Root gathers what goes into the root of an image. The same files give the same image,
// whoever builds it, wherever and whenever:
//
//   - What belongs to who builds belongs to the guest's only user, 0; other owners stay.
//   - No modification time is later than the environment's SOURCE_DATE_EPOCH, or than 1970
//     without it.
type Root struct {
	// Output is the image that is built, which is left out.
	Output string
	// Notes are what was left out.
	Notes []string

	tree  *archive.Node
	epoch int64
	links map[[2]uint64]*archive.Node // by device and inode, of files with several names
}

// NewRoot begins with an empty root.
func NewRoot(output string) (*Root, error) {
	scratch.Sweep(output) // which may be in a directory that is added
	r := &Root{Output: output, links: map[[2]uint64]*archive.Node{}}
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH=%s: want seconds since 1970", text)
		}
		r.epoch = n
	}
	r.tree = r.directory()
	return r, nil
}

// directory is one that no source has.
func (r *Root) directory() *archive.Node {
	return &archive.Node{Mode: syscall.S_IFDIR | 0o755, Children: map[string]*archive.Node{}}
}

// Layout lays the root out.
func (r *Root) Layout() (*archive.Layout, error) { return archive.NewLayout(r.tree) }

// Add adds a source. Directories of the same path are merged; a file replaces one of an
// earlier source.
func (r *Root) Add(s Source) error {
	info, err := os.Stat(s.Host) // a link to a directory is as good as one
	if err != nil {
		return err
	}
	at := r.tree
	parts := strings.Split(strings.Trim(path.Clean(s.Path), "/"), "/")
	if parts[0] == "" {
		parts = nil
	}
	if len(parts) == 0 && !info.IsDir() {
		return fmt.Errorf("%s is a file: say what it is to be, as in %[1]s:/etc/%s", s.Host, filepath.Base(s.Host))
	}
	for i, name := range parts {
		if i == len(parts)-1 && !info.IsDir() {
			break
		}
		next := at.Children[name]
		if next == nil {
			next = r.directory()
			at.Children[name] = next
		}
		if !next.IsDir() {
			return fmt.Errorf("%s:%s: /%s is no directory in the image", s.Host, s.Path, strings.Join(parts[:i+1], "/"))
		}
		at = next
	}
	if info.IsDir() {
		return r.addDir(at, s.Host, info)
	}
	return r.add(at, parts[len(parts)-1], s.Host, info)
}

// addDir adds what is in a directory, and its attributes.
func (r *Root) addDir(to *archive.Node, host string, info fs.FileInfo) error {
	n := r.node(info)
	n.Children = to.Children
	*to = *n
	entries, err := os.ReadDir(host)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(host, e.Name())
		info, err := e.Info()
		if err != nil {
			return err
		}
		if err := r.add(to, e.Name(), name, info); err != nil {
			return err
		}
	}
	return nil
}

// add adds a file of any kind as name to a directory.
func (r *Root) add(to *archive.Node, name, host string, info fs.FileInfo) error {
	old := to.Children[name]
	if info.IsDir() {
		if old == nil {
			old = r.directory()
			to.Children[name] = old
		}
		if !old.IsDir() {
			return fmt.Errorf("%s is a directory, and a file by that name is in the image already", host)
		}
		return r.addDir(old, host, info)
	}
	if old != nil && old.IsDir() {
		return fmt.Errorf("%s is no directory, and one by that name is in the image already", host)
	}
	st := info.Sys().(*syscall.Stat_t)
	id := [2]uint64{st.Dev, st.Ino}
	if n := r.links[id]; n != nil && st.Nlink > 1 {
		to.Children[name] = n
		return nil
	}
	n := r.node(info)
	switch n.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		if out, err := os.Stat(r.Output); err == nil && os.SameFile(out, info) {
			r.Notes = append(r.Notes, fmt.Sprintf("%s is the image itself: left out", host))
			return nil
		}
		n.Size = info.Size()
		n.Contents = func() (io.ReadCloser, error) { return open(host, info) }
		// What cannot be read is to be told before the program is built.
		if n.Size > 0 {
			if err := readable(host); err != nil {
				return err
			}
		}
	case syscall.S_IFLNK:
		target, err := os.Readlink(host)
		if err != nil {
			return err
		}
		n.Target = target
	case syscall.S_IFSOCK:
		r.Notes = append(r.Notes, fmt.Sprintf("%s is a socket: left out", host))
		return nil
	}
	if st.Nlink > 1 {
		r.links[id] = n
	}
	to.Children[name] = n
	return nil
}

// accessRead is R_OK of access(2).
const accessRead = 4

func readable(host string) error {
	if err := syscall.Access(host, accessRead); err != nil {
		return &fs.PathError{Op: "read", Path: host, Err: err}
	}
	return nil
}

// open opens a file that was looked at before.
func open(host string, was fs.FileInfo) (io.ReadCloser, error) {
	f, err := os.Open(host)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (info.Size() != was.Size() || !info.ModTime().Equal(was.ModTime())) {
		err = errors.New(host + " was changed while the image was built")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// node has the attributes of a file.
func (r *Root) node(info fs.FileInfo) *archive.Node {
	st := info.Sys().(*syscall.Stat_t)
	n := &archive.Node{Mode: st.Mode, Uid: st.Uid, Gid: st.Gid, Sec: st.Mtim.Sec, Nsec: uint32(st.Mtim.Nsec), Rdev: st.Rdev}
	if n.Uid == uint32(os.Getuid()) {
		n.Uid = 0
	}
	if n.Gid == uint32(os.Getgid()) {
		n.Gid = 0
	}
	if n.Sec >= r.epoch {
		n.Sec, n.Nsec = r.epoch, 0
	}
	if kind := n.Mode & syscall.S_IFMT; kind != syscall.S_IFCHR && kind != syscall.S_IFBLK {
		n.Rdev = 0
	}
	return n
}

// Hidden are the top-level directories of the root, of those named, that have something
// in them.
func (r *Root) Hidden(names []string) (hidden []string) {
	for _, name := range names {
		if n := r.tree.Children[strings.TrimPrefix(name, "/")]; n != nil && len(n.Children) > 0 {
			hidden = append(hidden, name)
		}
	}
	return hidden
}
