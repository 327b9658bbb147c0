package kernel

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/kernel/control"
)

// host is what a launcher offers, by name; directories end with a slash.
type host map[string]string

func (h host) read(name string, off int64, count int) fileData {
	if list, ok := h[name+"/"]; ok {
		return fileData{kind: syscall.S_IFDIR, data: []byte(list)}
	}
	if target, ok := h[name+" ->"]; ok {
		return fileData{kind: syscall.S_IFLNK, data: []byte(target)}
	}
	data, ok := h[name]
	if !ok {
		return fileData{errno: syscall.ENOENT}
	}
	part := data[min(off, int64(len(data))):]
	return fileData{kind: syscall.S_IFREG, size: int64(len(data)), data: []byte(part[:min(count, len(part))])}
}

func contents(t *testing.T, n fs.Node) string {
	t.Helper()
	f, err := n.Open(syscall.O_RDONLY)
	if err != nil {
		return err.Error()
	}
	defer f.Release()
	var b strings.Builder
	buf := make([]byte, 1000)
	for {
		n, err := f.ReadAt(buf, int64(b.Len()))
		if err != nil {
			return err.Error()
		}
		if n == 0 {
			return b.String()
		}
		b.Write(buf[:n])
	}
}

func TestHostFile(t *testing.T) {
	long := strings.Repeat("0123456789", control.MaxData/8)
	h := host{"etc/hosts": "names\n", "etc/long": long, "etc/localtime ->": "/zone", "etc/dir/": ""}
	f := synth.New("ramfs", 1)
	for name, c := range map[string]struct {
		own, has string
		kind     uint32
	}{
		"etc/hosts": {"ours", "names\nmore", syscall.S_IFREG}, "etc/none": {"ours", "ours", syscall.S_IFREG}, "etc/long": {"", long + "more", syscall.S_IFREG},
	} {
		n := &hostNode{Base: f.Base(0), name: name, own: c.own, read: h.read, change: func(b []byte) []byte { return append(b, "more"...) }}
		var a fs.Attr
		if err := n.Getattr(&a); err != nil || a.Size != int64(len(c.has)) || a.Mode != c.kind|0o644 {
			t.Errorf("%s: %d bytes, mode %o, %v", name, a.Size, a.Mode, err)
		}
		if s := contents(t, n); s != c.has || !n.Exists() || n.Kind() != c.kind {
			t.Errorf("%s: %.40q, kind %o", name, s, n.Kind())
		}
		if _, err := n.Open(syscall.O_WRONLY); err != syscall.EROFS {
			t.Errorf("%s can be written: %v", name, err)
		}
	}
	link := newHostNode(f, "etc/localtime", h.read)
	if text, err := link.Readlink(); text != "/zone" || err != nil || link.Kind() != syscall.S_IFLNK {
		t.Errorf("link to %q, %v", text, err)
	}
	if newHostNode(f, "etc/none", h.read).Exists() {
		t.Error("there is what the host does not have")
	}
}

// TestHostFileLater: a host that could not answer is asked again.
func TestHostFileLater(t *testing.T) {
	errno := syscall.EIO
	n := newHostNode(synth.New("ramfs", 1), "x", func(string, int64, int) fileData {
		return fileData{errno: errno, kind: syscall.S_IFREG, size: 1, data: []byte("x")}
	})
	if n.Exists() {
		t.Error("what cannot be read is there")
	}
	if errno = 0; contents(t, n) != "x" {
		t.Errorf("then it has %q", contents(t, n))
	}
}

func TestHostDir(t *testing.T) {
	h := host{"z/": "Etc/\x00UTC\x00\x00../\x00a/b\x00", "z/UTC": "utc", "z/Etc/": "GMT\x00", "z/Etc/GMT": "gmt"}
	d := newHostNode(synth.New("ramfs", 1), "z", h.read)
	f, err := d.Open(syscall.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	f.ReadDir(0, func(e *fs.Dirent) bool {
		got += fmt.Sprint(e.Name, " ", e.Type, " ")
		return true
	})
	if got != "Etc 4 UTC 8 " {
		t.Errorf("it has %q", got)
	}
	e, err := d.Lookup("Etc")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := d.Lookup("Etc"); again != e {
		t.Error("another node the second time")
	}
	if e, err = e.Node.Lookup("GMT"); err != nil || contents(t, e.Node) != "gmt" {
		t.Errorf("Etc/GMT: %v", err)
	}
	if _, err := d.Lookup("none"); err != syscall.ENOENT {
		t.Errorf("none: %v", err)
	}
	if !d.Exists() || newHostNode(d.FS, "y", h.read).Exists() {
		t.Error("which directories there are")
	}
}

func TestImage(t *testing.T) {
	data := strings.Repeat("0123456789abcdef", 3*imagePart/16) + "end"
	reads := 0
	i := newHostNode(synth.New("ramfs", 1), imageName, func(name string, off int64, count int) fileData {
		reads++
		return host{imageName: data}.read(name, off, count)
	})
	var a fs.Attr
	if i.Getattr(&a); a.Size != int64(len(data)) || a.Mode != syscall.S_IFREG|0o755 || !i.Exists() {
		t.Errorf("%d bytes, mode %o", a.Size, a.Mode)
	}
	if s := contents(t, i); s != data {
		t.Errorf("%d bytes are read, not all right", len(s))
	}
	if reads > 10 {
		t.Errorf("%d requests", reads)
	}
	f, _ := i.Open(syscall.O_RDONLY)
	for _, at := range []int{imagePart - 3, len(data) - 5, 0} {
		buf := make([]byte, 2*imagePart)
		n, err := f.ReadAt(buf, int64(at))
		if err != nil || string(buf[:n]) != data[at:min(at+len(buf), len(data))] {
			t.Errorf("at %d: %d bytes, %v", at, n, err)
		}
	}
	if _, err := i.Open(syscall.O_RDWR); err != syscall.ETXTBSY {
		t.Errorf("it can be written: %v", err)
	}
	gone := newHostNode(synth.New("ramfs", 1), imageName, host{}.read)
	if gone.Exists() {
		t.Error("there is an image without a host")
	}
	if _, err := gone.Open(syscall.O_RDONLY); err != syscall.ENOENT {
		t.Errorf("opening it: %v", err)
	}
}

// TestLinkFiles has a launcher answer, well and badly.
func TestLinkFiles(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   fileData
	}{
		"file":        {"file-data 0 file 9 4\nfour", fileData{kind: syscall.S_IFREG, size: 9, data: []byte("four")}},
		"dir":         {"file-data 0 dir 0 0\n", fileData{kind: syscall.S_IFDIR}},
		"link":        {"nonsense 1\nfile-data 0 link 2 2\n/x", fileData{kind: syscall.S_IFLNK, size: 2, data: []byte("/x")}},
		"error":       {"file-data 13 file 0 0\n", fileData{errno: syscall.EACCES, kind: syscall.S_IFREG}},
		"other kind":  {"file-data 0 pipe 0 0\n", fileData{errno: syscall.EIO}},
		"no words":    {"file-data\n", fileData{errno: syscall.EIO}},
		"large error": {"file-data 99999 file 0 0\n", fileData{errno: maxErrno, kind: syscall.S_IFREG}},
		"cut off":     {"file-data 0 file 9 9\nfour", fileData{errno: syscall.EIO}},
		"too long":    {"file-data 0 file 9 99999999999\nfour", fileData{errno: syscall.EIO}},
		"silence":     {"", fileData{errno: syscall.EIO}},
	} {
		ours, theirs := net.Pipe()
		go func() {
			r := control.NewReader(theirs)
			m, err := r.Next()
			if err != nil || m.Verb != control.FileRead || fmt.Sprint(m.Args) != "[etc/x 5 7]" {
				t.Errorf("%s: asked for %v, %v", name, m, err)
			}
			theirs.Write([]byte(c.answer))
			theirs.Close()
		}()
		l := newLink(ours)
		done := make(chan struct{})
		go func() {
			l.listen()
			close(done)
		}()
		got := l.readFile("etc/x", 5, 7)
		if got.errno != c.want.errno || got.kind != c.want.kind || got.size != c.want.size || string(got.data) != string(c.want.data) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		<-done
		if d := l.readFile("etc/x", 0, 1); d.errno != syscall.EIO {
			t.Errorf("%s: afterwards %+v", name, d)
		}
	}
}
