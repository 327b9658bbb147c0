package procfs

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// nsMagic is NSFS_MAGIC of linux/magic.h.
const nsMagic = 0x6e736673

// Requests of ioctl_ns(2).
const (
	nsGetParent = 0xb702
	nsGetNSType = 0xb703
)

// namespaces are the links in ns. There is one namespace of each kind; the inode
// numbers are those of a Linux that has made no other.
var namespaces = []struct {
	link, kind string
	ino        uint64
	flag       int32 // of clone(2)
}{
	{"cgroup", "cgroup", 4026531835, 0x02000000}, {"ipc", "ipc", 4026531839, syscall.CLONE_NEWIPC},
	{"mnt", "mnt", 4026531841, syscall.CLONE_NEWNS}, {"net", "net", 4026531840, syscall.CLONE_NEWNET},
	{"pid", "pid", 4026531836, syscall.CLONE_NEWPID}, {"pid_for_children", "pid", 4026531836, syscall.CLONE_NEWPID},
	{"time", "time", 4026531834, 0x80}, {"time_for_children", "time", 4026531834, 0x80},
	{"user", "user", 4026531837, syscall.CLONE_NEWUSER}, {"uts", "uts", 4026531838, syscall.CLONE_NEWUTS},
}

// addNamespaces adds ns to directories of a process: links that show what no path
// leads to, and lead there all the same.
func (f *FS) addNamespaces(s *Self, dirs ...*synth.Dir) {
	files := synth.New("nsfs", nsMagic)
	mnt := s.Internal(files)
	for _, ns := range namespaces {
		n := &namespace{files.Base(syscall.S_IFREG | 0o444), ns.kind, ns.flag}
		n.Ino = ns.ino
		link := f.newJump(func() (string, *fs.Dentry) {
			at, err := mnt.Nameless(n.Label(), n)
			if err != nil {
				return "", nil
			}
			return n.Label(), at
		})
		for _, d := range dirs {
			d.Add("ns/"+ns.link, link)
		}
	}
}

// namespace is a file that a process enters one by, elsewhere.
type namespace struct {
	synth.Base
	kind string
	flag int32
}

// Label implements fs.Labeler.
func (n *namespace) Label() string { return n.kind + ":[" + strconv.FormatUint(n.Ino, 10) + "]" }

// Open implements fs.Node.
func (n *namespace) Open(flags int) (fs.File, error) {
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return nil, syscall.EPERM
	}
	return &namespaceFile{node: n}, nil
}

type namespaceFile struct {
	fs.UnsupportedFile
	node *namespace
}

func (f *namespaceFile) Getattr(a *fs.Attr) error { return f.node.Getattr(a) }

// ReadAt implements fs.File.
func (f *namespaceFile) ReadAt([]byte, int64) (int, error) { return 0, syscall.EINVAL }

// Ioctl implements fs.IoctlFile. The namespaces are the first of their kinds, whose
// parents nobody may have.
func (f *namespaceFile) Ioctl(cmd uint32, _ uint64, _, _ []byte) (int32, int, error) {
	switch cmd {
	case nsGetNSType:
		return f.node.flag, 0, nil
	case nsGetParent:
		if !strings.Contains("pid user", f.node.kind) {
			return 0, 0, syscall.EINVAL
		}
		return 0, 0, syscall.EPERM
	}
	return 0, 0, syscall.ENOTTY
}
