package qemu

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/yolkos/yolk/qemu/served"
	"github.com/yolkos/yolk/toolchain/group"
)

// Daemon says which virtio-fs server serves the shares.
type Daemon string

// The servers; AutoDaemon is virtiofsd where one is found that can run here,
// else Builtin.
const (
	AutoDaemon Daemon = "auto"
	Virtiofsd  Daemon = "virtiofsd"
	Builtin    Daemon = "builtin"
)

// Share is a directory of the host that the guest gets.
type Share struct {
	Tag string
	Dir string // a symbolic link is where it leads when the machine starts
	// Path is where the guest mounts it; empty: as the tag says.
	Path     string
	ReadOnly bool // the guest answers EROFS to every change
}

// flags returns the lines for the guest's kernel that the tag does not say.
func (s Share) flags() string {
	lines := ""
	if s.Path != "" {
		lines += fmt.Sprintf("path.%s=%q\n", s.Tag, s.Path)
	}
	if s.ReadOnly {
		lines += fmt.Sprintf("readonly.%s=1\n", s.Tag)
	}
	return lines
}

// name names the share for messages: by where the guest has it.
func (s Share) name() string { return cmp.Or(s.Path, s.Tag) }

// Check reports what is wrong with a share, before anything is started.
func (s Share) Check() error {
	if err := CheckTag(s.Tag); err != nil {
		return err
	}
	info, err := os.Stat(s.Dir)
	if err != nil {
		return fmt.Errorf("cannot share %s: %w", s.Dir, errors.Unwrap(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("cannot share %s: not a directory", s.Dir)
	}
	f, err := os.Open(s.Dir)
	if err != nil {
		return fmt.Errorf("cannot share %s: not readable: %w", s.Dir, errors.Unwrap(err))
	}
	return f.Close()
}

// resolved returns the share with the directory that Dir is now: a server that is started anew,
// and who watches for the guest, have the same one after a link was turned, and the virtiofsd
// in C takes no link.
func (s Share) resolved() (Share, error) {
	dir, err := filepath.Abs(s.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return s, fmt.Errorf("cannot share %s: %w", s.Dir, err)
	}
	s.Dir = dir
	return s, nil
}

// Cache says how long a guest may believe what a server has told of names,
// attributes and data. What is empty stands for CacheAuto.
type Cache string

// The cache modes, named as virtiofsd's are.
const (
	CacheAuto Cache = "auto" // a second
	CacheNone Cache = "none" // not at all
)

// lifetime is how long names and attributes may be believed.
func (c Cache) lifetime() time.Duration {
	if c == CacheNone {
		return 0
	}
	return time.Second
}

// dialect is the command line that a virtiofsd understands.
type dialect int

const (
	dialectC    dialect = iota + 1 // of QEMU's own tree, up to 7.2
	dialectRust                    // of the virtio-fs project
)

func (d dialect) String() string {
	return map[dialect]string{dialectC: "C", dialectRust: "Rust"}[d]
}

// cache names a cache mode as the dialect does.
func (d dialect) cache(mode Cache) string {
	if d == dialectRust && mode == CacheNone {
		return "never"
	}
	return string(cmp.Or(mode, CacheAuto))
}

// server is a virtio-fs server that can run here.
type server struct {
	path    string  // empty: the built-in one
	dialect dialect // of the one at path
	files   uint64  // descriptors that it may have
	cache   Cache
	handles bool // it can refer to files by handles
	chroot  bool // it is confined by chroot(2), which takes less of the host, and not by name spaces
	// served gets what tells which requests a built-in server served when; nil: nobody wants to
	// know.
	served func(tag string, r *served.Reader)
}

// builtin is the server that is always there.
func builtin() server { return server{files: fileLimit()} }

// ownFiles is how many descriptors a server has for itself, at most. The
// virtiofsd in Rust sets some 600 aside, and answers ENFILE when its guest has
// the rest.
const (
	ownFiles     = 64
	ownFilesRust = 640
)

// guestFiles is how many of a server's descriptors are the guest's; 0: not
// known.
func guestFiles(files uint64) int64 {
	return int64(min(max(files, ownFiles)-ownFiles, math.MaxInt64))
}

// flags returns the lines for the guest's kernel about the shares. Each has a
// server of its own.
func (s server) flags(shares []Share) string {
	lines := ""
	for _, share := range shares {
		lines += share.flags()
		files := s.files
		if s.dialect == dialectRust {
			files -= min(files, ownFilesRust-ownFiles)
		}
		if n := guestFiles(files); n > 0 {
			lines += fmt.Sprintf("files.%s=%d\n", share.Tag, n)
		}
	}
	return lines
}

// chooseServer finds the server for a setting of --daemon. The note says why
// auto did not take virtiofsd.
func chooseServer(want Daemon) (s server, note string, err error) {
	if want == Builtin {
		return builtin(), "", nil
	}
	path, err := FindVirtiofsd()
	if err == nil {
		s, err = probeServer(path)
	}
	switch {
	case err == nil:
		return s, "", nil
	case want == AutoDaemon:
		return builtin(), err.Error(), nil
	}
	if path == "" {
		err = fmt.Errorf("%w; %s", err, InstallHint())
	}
	return server{}, "", fmt.Errorf("%w; or use --daemon builtin", err)
}

// Available returns why the server cannot run here, or nil.
func (d Daemon) Available() error {
	_, _, err := chooseServer(d)
	return err
}

// probeServer finds out what a virtiofsd understands and whether this user
// can run it.
func probeServer(path string) (server, error) {
	cmd := exec.Command(path, "--help")
	group.Lead(cmd)
	out, err := cmd.CombinedOutput()
	s := server{path: path, dialect: dialectOf(string(out)), files: fileLimit(), handles: strings.Contains(string(out), handlesOption)}
	switch {
	case s.dialect == 0 && err != nil:
		text := strings.TrimSpace(string(out))
		return s, fmt.Errorf("%s does not run for this user: --help ended with %w: %s", path, err, text[strings.LastIndexByte(text, '\n')+1:])
	case s.dialect == 0:
		return s, fmt.Errorf("%s --help shows neither --shared-dir nor -o source=", path)
	case s.dialect == dialectC && os.Geteuid() != 0:
		return s, fmt.Errorf("%s needs root", path)
	}
	return s, nil
}

// handlesOption is of the virtiofsd in Rust. From 1.14 on it prefers handles, but
// one of a file without a name is stale though the guest has the file open.
const handlesOption = "--inode-file-handles"

func dialectOf(help string) dialect {
	switch {
	case strings.Contains(help, "--shared-dir"):
		return dialectRust
	case strings.Contains(help, "-o source="):
		return dialectC
	}
	return 0
}

// sandbox is how a virtiofsd confines itself: with mounts, processes and a network of its
// own, which an ordinary user gets by way of a user namespace.
func (s server) sandbox() string {
	if s.chroot {
		return "chroot"
	}
	return "namespace"
}

// args returns the arguments of a virtiofsd that serves dir to whoever
// connects to the listening socket fd.
func (s server) args(dir string, fd int) []string {
	limit := fmt.Sprintf("--rlimit-nofile=%d", s.files)
	cache := "cache=" + s.dialect.cache(s.cache)
	if s.dialect == dialectC {
		// Its options are separated by commas.
		source := strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(dir)
		return []string{
			"--fd=" + strconv.Itoa(fd), "-o", "source=" + source,
			"-o", cache, "-o", "xattr", "-o", "posix_lock", "-o", "flock", "-o", "announce_submounts", "-o", "sandbox=" + s.sandbox(), "-o", "log_level=err", limit,
		}
	}
	args := []string{
		"--fd=" + strconv.Itoa(fd), "--shared-dir=" + dir,
		"--" + cache, "--xattr", "--announce-submounts", "--sandbox=" + s.sandbox(), "--log-level=error", limit,
	}
	if s.handles {
		args = append(args, handlesOption+"=never")
	}
	return args
}

// serve starts the server for a share, whose directory is an absolute path without links. It returns the connection for a front-end,
// and what keeps the built-in server alive until it is closed.
func (s server) serve(share Share, self []string, show, trace io.Writer) (p *process, conn *net.UnixConn, keep io.Closer, err error) {
	var client *os.File
	if s.path == "" {
		p, client, keep, err = s.serveBuiltin(share.Tag, share.Dir, self, show, trace)
	} else {
		p, client, keep, err = s.serveVirtiofsd(share.Dir, show, trace)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	defer client.Close()
	c, err := net.FileConn(client) // a duplicate
	conn, ok := c.(*net.UnixConn)
	if !ok {
		keep.Close()
		p.kill()
		return nil, nil, nil, fmt.Errorf("socket of %s: %T, %v", p.name, c, err)
	}
	return p, conn, keep, nil
}

// serveVirtiofsd starts a virtiofsd, which ends with the front-end's connection.
func (s server) serveVirtiofsd(dir string, show, trace io.Writer) (*process, *os.File, io.Closer, error) {
	listener, client, err := listenPair()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("socket for virtiofsd: %w", err)
	}
	var d descriptors
	p, err := start(s.path, s.args(dir, d.add(listener)), &d, show, trace)
	if err != nil {
		client.Close()
		return nil, nil, nil, err
	}
	return p, client, io.NopCloser(nil), nil
}

// serveBuiltin starts self, a command of this program that ends up in
// ServeBuiltin.
func (s server) serveBuiltin(tag, dir string, self []string, show, trace io.Writer) (*process, *os.File, io.Closer, error) {
	if len(self) == 0 {
		return nil, nil, nil, errors.New("no command for the built-in server")
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, nil, nil, err
	}
	d := descriptors{files: []*os.File{theirs}} // builtinFD
	args := append(self[1:len(self):len(self)], dir, string(cmp.Or(s.cache, CacheAuto)))
	if s.served != nil {
		r, w, err := served.Pipe()
		if err != nil {
			ours.Close()
			theirs.Close()
			return nil, nil, nil, err
		}
		s.served(tag, r)
		args = append(args, strconv.Itoa(d.add(w)))
	}
	p, err := start(self[0], args, &d, show, trace)
	if err != nil {
		ours.Close()
		return nil, nil, nil, err
	}
	client, err := receiveFile(ours)
	if err != nil {
		ours.Close()
		<-p.done
		if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			err = p.end()
		}
		return nil, nil, nil, fmt.Errorf("the built-in virtio-fs server: %w", err)
	}
	return p, client, ours, nil
}
