//go:build tamago

package kernel

import (
	"fmt"
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/arch/amd64/embedded"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// mountRoot makes the tree: the shares of the host, and the kernel's own file
// systems at the names that are reserved for them.
func (m *machine) mountRoot() {
	tmp := newTmpfs()
	tmp.Chmod(0o1777)
	shm := newTmpfs() // where shm_open(3) has its files
	shm.Chmod(0o1777)
	m.proc = procfs.New()
	m.dev = devfs.New(m.random)
	m.addStreams()
	m.addDisks()

	c := fs.RootConfig{
		Own:   []fs.Own{{Name: "tmp", FS: tmp}, {Name: "proc", FS: m.proc}, {Name: "dev", FS: m.dev}, {Name: "dev/shm", FS: shm}},
		Empty: func() fs.FileSystem { return newTmpfs() },
	}
	for _, s := range m.shares {
		f, err := m.open(s)
		if err != nil {
			m.fail(err)
			continue
		}
		path, err := m.flags.path(s.tag)
		m.fail(err)
		c.Shares = append(c.Shares, fs.Share{Tag: s.tag, FS: f, Path: path, ReadOnly: s.readOnly})
	}
	c.Shares = append(c.Shares, m.mountedDisks()...)
	c.Image = m.imageRoot()
	if len(c.Shares) == 0 && c.Image == nil {
		m.log.Print("no virtio-fs device: the root is a tmpfs")
	}
	v, notes, problems := fs.NewRoot(c)
	for _, n := range notes {
		m.log.Print(n)
	}
	for _, err := range problems {
		m.fail(err)
	}
	m.vfs = v
	m.dev.Serve(v)
	total, _ := amd64.Memory()
	v.SetCacheSize(int(total / memoryPerName))
}

// openImageRoot makes the file system of a part of the image, which takes changes if there
// is an upper one for them. It is package kernel/imageroot's, in images that have it.
//
//go:linkname openImageRoot
var openImageRoot func(part []byte, upper func() fs.FileSystem, note func(error)) (fs.FileSystem, error)

// imageRoot is the root that the image carries; nil: it carries none.
func (m *machine) imageRoot() *fs.Share {
	part, ok := amd64.Embedded(embedded.Root)
	if !ok || openImageRoot == nil {
		return nil
	}
	s := &fs.Share{Tag: "image", ReadOnly: true}
	var upper func() fs.FileSystem
	if m.flags["writable"] != "" {
		s.ReadOnly = false
		upper = func() fs.FileSystem { return newTmpfs() }
	}
	note := func(err error) { m.fail(fmt.Errorf("the root in the image: %w", err)) }
	var err error
	if s.FS, err = openImageRoot(part, upper, note); err != nil {
		note(err)
		return nil
	}
	return s
}

// watchHost has the launcher, if it does that, watch what programs watch in the
// shares.
func (m *machine) watchHost() {
	l := m.streams.link
	if l == nil || m.flags["watch"] == "" {
		return
	}
	h := newHostWatch(l, m.vfs, func(f fs.FileSystem) string {
		if s, ok := f.(mountedShare); ok {
			return s.share.tag
		}
		return ""
	})
	l.watch.Store(h)
	m.vfs.SetHost(h)
}

// memoryPerName is how much RAM there has to be for each name that is
// remembered, in bytes. A name takes some 640 of them, with its file.
const memoryPerName = 4096

// newFileSystem makes what syscall.Mount mounts: an empty tmpfs, the share whose
// tag is source, what has been registered, or what is on the disk source.
func (m *machine) newFileSystem(fstype, source, data string) (fs.FileSystem, error) {
	switch fstype {
	case "tmpfs":
		return newTmpfs(), nil
	case "virtiofs":
		if s := m.shareNamed(source); s != nil {
			return m.open(s)
		}
		return nil, fmt.Errorf("no share has the tag %q: %w", source, syscall.ENODEV)
	}
	m.taking.Lock()
	make := m.registered[fstype]
	m.taking.Unlock()
	if make != nil {
		return make(source, data)
	}
	if openDisk != nil {
		return m.openDiskNamed(fstype, source, data, nil)
	}
	return nil, fmt.Errorf("file system type %q: %w", fstype, syscall.ENODEV)
}

// newTmpfs makes a file system that may take half of the RAM.
func newTmpfs() *tmpfs.FS {
	total, _ := amd64.Memory()
	return tmpfs.New(tmpfs.Limits{Bytes: int64(total / 2)})
}
