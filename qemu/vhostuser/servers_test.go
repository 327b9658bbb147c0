package vhostuser

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/qemu/passthrough"
)

// serveEnv, if set, has the test binary be a server of that directory, for the
// front-end at descriptor 3.
const serveEnv = "VHOSTUSER_TEST_SERVE"

func TestMain(m *testing.M) {
	unix.Umask(0)
	if dir := os.Getenv(serveEnv); dir != "" {
		if err := serveProcess(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serveProcess(dir string) error {
	conn, err := net.FileConn(os.NewFile(3, "front-end"))
	if err != nil {
		return err
	}
	s, err := passthrough.New(dir, passthrough.Options{})
	if err != nil {
		return err
	}
	return New(2, s, func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }).Serve(conn.(*net.UnixConn))
}

// socketPair makes two connected sockets.
func socketPair(t testing.TB) (ours *net.UnixConn, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "socket")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "socket")
}

// startBuiltin serves a directory by a process of the built-in server.
func startBuiltin(t testing.TB, dir string) *frontend {
	t.Helper()
	conn, theirs := socketPair(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{theirs}
	startServer(t, cmd, conn)
	theirs.Close()
	return connect(t, conn)
}

// startVirtiofsd serves a directory by a virtiofsd of QEMU 7.2, if there is
// one.
func startVirtiofsd(t testing.TB, dir string) *frontend {
	t.Helper()
	const path = "/usr/lib/qemu/virtiofsd"
	if help, err := exec.Command(path, "--help").CombinedOutput(); err != nil || !strings.Contains(string(help), "-o source=") || os.Geteuid() != 0 {
		t.Skipf("no %s that can run here", path)
	}
	socket := filepath.Join(t.TempDir(), "socket")
	cmd := exec.Command(path, "--socket-path="+socket, "-o", "source="+dir, "-o", "cache=none,xattr,sandbox=chroot,log_level=err")
	cmd.Stderr = os.Stderr
	startServer(t, cmd, nil)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: socket})
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return connect(t, conn)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func startServer(t testing.TB, cmd *exec.Cmd, conn *net.UnixConn) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if conn != nil {
			conn.Close()
		}
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// session is a FUSE session by hand, in slot 0 of the front-end.
type session struct {
	*frontend
	in, out []byte
	unique  uint64
}

func newSession(f *frontend) *session {
	s := &session{frontend: f}
	s.in, s.out = f.slot(1, 0)
	flags := uint32(fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES | fuse.FUSE_ASYNC_READ)
	s.do(fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 7, Minor: 31, Flags: flags, MaxReadahead: maxMessage}).AppendTo(nil), fuse.InitOutSize)
	return s
}

// do does a request and returns the body of the reply.
func (s *session) do(op uint32, node uint64, body []byte, room int) []byte {
	s.t.Helper()
	s.put(op, node, len(body))
	copy(s.in[fuse.InHeaderSize:], body)
	return s.reply(op, s.exchange([]int{fuse.InHeaderSize + len(body)}, []int{fuse.OutHeaderSize, room}))
}

// put writes the header of a request with n bytes behind it.
func (s *session) put(op uint32, node uint64, n int) {
	s.unique += 2
	h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + n), Opcode: op, Unique: s.unique, Nodeid: node}
	h.AppendTo(s.in[:0])
}

func (s *session) reply(op uint32, n int) []byte {
	s.t.Helper()
	var h fuse.OutHeader
	if err := h.Decode(s.out[:n]); err != nil || h.Error != 0 || h.Unique != s.unique {
		s.t.Fatalf("%s: %+v in %d bytes, %v", fuse.OpName(op), h, n, err)
	}
	return s.out[fuse.OutHeaderSize:h.Len]
}

// openFile makes a file of a MiB and opens it.
func (s *session) openFile() (node, fh uint64) {
	s.t.Helper()
	in := fuse.CreateIn{Flags: unix.O_RDWR, Mode: unix.S_IFREG | 0o600}
	body := s.do(fuse.FUSE_CREATE, fuse.FUSE_ROOT_ID, append(in.AppendTo(nil), "file\x00"...), fuse.EntryOutSize+fuse.OpenOutSize)
	var e fuse.EntryOut
	var o fuse.OpenOut
	if e.Decode(body) != nil || o.Decode(body[fuse.EntryOutSize:]) != nil {
		s.t.Fatal("short reply")
	}
	return e.Nodeid, o.Fh
}

// measure measures one kind of request.
var measures = []struct {
	name  string
	bytes int
	do    func(s *session, node, fh uint64)
}{
	{"Getattr", 0, func(s *session, node, fh uint64) {
		s.do(fuse.FUSE_GETATTR, node, make([]byte, fuse.GetattrInSize), fuse.AttrOutSize)
	}},
	{"Lookup", 0, func(s *session, node, fh uint64) {
		s.do(fuse.FUSE_LOOKUP, fuse.FUSE_ROOT_ID, []byte("file\x00"), fuse.EntryOutSize)
	}},
	{"Read4K", 4096, func(s *session, node, fh uint64) { s.readFile(node, fh, 4096) }},
	{"Write4K", 4096, func(s *session, node, fh uint64) { s.writeFile(node, fh, 4096) }},
	{"Read1M", maxMessage, func(s *session, node, fh uint64) { s.readFile(node, fh, maxMessage) }},
	{"Write1M", maxMessage, func(s *session, node, fh uint64) { s.writeFile(node, fh, maxMessage) }},
}

func (s *session) readFile(node, fh uint64, n int) {
	body := s.do(fuse.FUSE_READ, node, (&fuse.ReadIn{Fh: fh, Size: uint32(n)}).AppendTo(nil), n)
	if len(body) != n {
		s.t.Fatalf("%d bytes read, want %d", len(body), n)
	}
}

func (s *session) writeFile(node, fh uint64, n int) {
	s.put(fuse.FUSE_WRITE, node, fuse.WriteInSize+n)
	(&fuse.WriteIn{Fh: fh, Size: uint32(n)}).AppendTo(s.in[fuse.InHeaderSize:fuse.InHeaderSize])
	s.reply(fuse.FUSE_WRITE, s.exchange([]int{fuse.InHeaderSize + fuse.WriteInSize, n}, []int{fuse.OutHeaderSize + fuse.WriteOutSize}))
}

// BenchmarkServers measures requests to the built-in server and to virtiofsd,
// which take turns, so that what else the machine does hits both, and tells
// the time of the one in parts of the other's: "ratio", of the medians.
//
//	go test -run='^$' -bench=Servers ./qemu/vhostuser
func BenchmarkServers(b *testing.B) {
	for _, m := range measures {
		b.Run(m.name, func(b *testing.B) {
			var ours, theirs turns
			ours.open(startBuiltin(b, shared(b)))
			theirs.open(startVirtiofsd(b, shared(b)))
			each := 64
			if m.bytes > 1<<16 {
				each = 8
			}
			b.ResetTimer()
			for range b.N {
				ours.take(m.do, each)
				theirs.take(m.do, each)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours.median()/float64(each), "builtin-ns")
			b.ReportMetric(theirs.median()/float64(each), "virtiofsd-ns")
			b.ReportMetric(ours.median()/theirs.median(), "ratio")
		})
	}
}

// shared makes a directory in memory, so that no disk is measured.
func shared(b *testing.B) string {
	dir, err := os.MkdirTemp("/dev/shm", "yolk-bench-")
	if err != nil {
		dir = b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// turns are the times of one server.
type turns struct {
	s        *session
	node, fh uint64
	times    []float64 // nanoseconds
}

func (t *turns) open(f *frontend) {
	t.s = newSession(f)
	t.node, t.fh = t.s.openFile()
	t.s.writeFile(t.node, t.fh, maxMessage)
}

func (t *turns) take(do func(s *session, node, fh uint64), n int) {
	start := time.Now()
	for range n {
		do(t.s, t.node, t.fh)
	}
	t.times = append(t.times, float64(time.Since(start)))
}

func (t *turns) median() float64 {
	slices.Sort(t.times)
	return t.times[len(t.times)/2]
}
