//go:build tamago

package net

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Names: where a listener comes up, what it is called then, and where it is found.
func TestUnixNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("sub", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", "link"); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("n", unixPathMax-2)
	for _, tt := range []struct{ listen, shown, dial string }{
		{dir + "/absolute", "", dir + "/absolute"},
		{"relative", "", "relative"},
		{"a", "", dir + "/a"},
		{"sub/below", "", "link/../sub/below"},
		{"link/through", "", "sub/through"},
		{"./dot", "", "dot"},
		{"\xff\x01\n\"%", "", "\xff\x01\n\"%"},
		{"cut\x00here", "cut", "cut"},
		{long, "", long},
		{"@abstract", "", "@abstract"},
		{"\x00zero", "@zero", "@zero"},
		{"@", "", "\x00"},
		{"@sub/\xff", "", "@sub/\xff"},
		{"@" + long, "", "@" + long},
	} {
		ln, err := Listen("unix", tt.listen)
		if err != nil {
			t.Errorf("listen %q: %v", tt.listen, err)
			continue
		}
		if tt.shown == "" {
			tt.shown = tt.listen
		}
		if got := ln.Addr().String(); got != tt.shown {
			t.Errorf("listen %q: shown as %q, want %q", tt.listen, got, tt.shown)
		}
		if _, err := Listen("unix", tt.listen); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listen %q twice: %v", tt.listen, err)
		}
		c, err := Dial("unix", tt.dial)
		if err != nil {
			t.Errorf("dial %q: %v", tt.dial, err)
		} else {
			if got := c.RemoteAddr().String(); got != tt.shown {
				t.Errorf("dial %q: connected to %q", tt.dial, got)
			}
			c.Close()
		}
		if fi, err := os.Lstat(tt.shown); tt.shown[0] != '@' && (err != nil || fi.Mode().Type() != os.ModeSocket) {
			t.Errorf("listen %q: its file: %v, %v", tt.listen, fi, err)
		}
		ln.Close()
		if _, err := os.Lstat(tt.shown); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("listen %q: the file after Close: %v", tt.listen, err)
		}
		want := syscall.ENOENT
		if tt.dial[0] == '@' || tt.dial[0] == 0 {
			want = syscall.ECONNREFUSED
		}
		if _, err := Dial("unix", tt.dial); !errors.Is(err, want) {
			t.Errorf("dial %q after Close: %v, want %v", tt.dial, err, want)
		}
	}
}

func TestUnixRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	ln, err := Listen("unix", "stale")
	if err != nil {
		t.Fatal(err)
	}
	ln.(*UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	packets, err := Listen("unixpacket", "packets")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	tooLong := strings.Repeat("n", unixPathMax)
	for _, tt := range []struct {
		name   string
		dial   bool
		want   error
		inText string
	}{
		{"stale", true, syscall.ECONNREFUSED, "dial unix stale: connect: connection refused"},
		{"stale", false, syscall.EADDRINUSE, "listen unix stale: bind: address already in use"},
		{"file", true, syscall.ECONNREFUSED, ""},
		{"file", false, syscall.EADDRINUSE, ""},
		{".", true, syscall.ECONNREFUSED, ""},
		{"none", true, syscall.ENOENT, "dial unix none: connect: no such file or directory"},
		{"no/dir", false, syscall.ENOENT, "listen unix no/dir: bind: no such file or directory"},
		{"file/x", true, syscall.ENOTDIR, ""},
		{"@none", true, syscall.ECONNREFUSED, ""},
		{"packets", true, syscall.EPROTOTYPE, ""},
		{tooLong, true, syscall.EINVAL, ""},
		{tooLong, false, syscall.EINVAL, ""},
		{"@" + tooLong, true, syscall.EINVAL, ""},
	} {
		var err error
		if tt.dial {
			_, err = Dial("unix", tt.name)
		} else {
			_, err = Listen("unix", tt.name)
		}
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.inText) {
			t.Errorf("%q (dial: %v): %v, want %v", tt.name, tt.dial, err, tt.want)
		}
	}
}

// A socket is found by its file, wherever that is moved to, and not by the file
// that comes in its place.
func TestUnixFileMoves(t *testing.T) {
	t.Chdir(t.TempDir())
	first, err := Listen("unix", "a")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := os.Rename("a", "b"); err != nil {
		t.Fatal(err)
	}
	second, err := Listen("unix", "a")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for name, ln := range map[string]Listener{"b": first, "a": second} {
		c, err := Dial("unix", name)
		if err != nil {
			t.Fatalf("dial %s: %v", name, err)
		}
		ln.(*UnixListener).SetDeadline(time.Now().Add(time.Minute))
		got, err := ln.Accept()
		if err != nil {
			t.Fatalf("accept as %s: %v", name, err)
		}
		got.Close()
		c.Close()
	}
}

// No name at all: the kernel chooses.
func TestUnixAutobind(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		ln, err := ListenUnix("unix", &UnixAddr{Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		name := ln.Addr().String()
		if len(name) != 6 || name[0] != '@' || seen[name] {
			t.Errorf("name %q", name)
		}
		seen[name] = true
		c, err := Dial("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		if c.LocalAddr().String() != "@" {
			t.Errorf("a socket without a name is shown as %q", c.LocalAddr())
		}
		c.Close()
	}
}

func unixPair(t *testing.T, network string) (client, server *UnixConn) {
	t.Helper()
	ln, err := Listen(network, "@pair")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := Dial(network, "@pair")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c.(*UnixConn), s.(*UnixConn)
}

// More than the buffers hold gets through in both directions at once, whole.
func TestUnixStream(t *testing.T) {
	client, server := unixPair(t, "unix")
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	got := make(chan []byte, 2)
	for _, c := range []*UnixConn{client, server} {
		go func() {
			for rest := data; len(rest) > 0; {
				n, err := c.Write(rest[:min(len(rest), 100_001)])
				if err != nil {
					t.Error(err)
					break
				}
				rest = rest[n:]
			}
			c.CloseWrite()
		}()
		go func() {
			b, err := io.ReadAll(c)
			if err != nil {
				t.Error(err)
			}
			got <- b
		}()
	}
	for range 2 {
		if b := <-got; !bytes.Equal(b, data) {
			t.Errorf("%d bytes came, or others, of %d", len(b), len(data))
		}
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after CloseWrite: %v", err)
	}
}

func TestUnixClose(t *testing.T) {
	client, server := unixPair(t, "unix")
	server.Write([]byte("last"))
	server.Close()
	b := make([]byte, 10)
	if n, err := client.Read(b); n != 4 || err != nil {
		t.Errorf("what was left: %d, %v", n, err)
	}
	if n, err := client.Read(b); n != 0 || err != io.EOF {
		t.Errorf("the end: %d, %v", n, err)
	}
	if _, err := client.Write(b); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to nobody: %v", err)
	}
	// What was not read is lost, and its writer told.
	client, server = unixPair(t, "unix")
	client.Write([]byte("unread"))
	server.Close()
	if _, err := client.Read(b); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after the peer dropped something: %v", err)
	}
	if _, err := client.Read(b); err != io.EOF {
		t.Errorf("read again: %v", err)
	}
	// Close ends who waits.
	for what, wait := range map[string]func(c *UnixConn) error{
		"read": func(c *UnixConn) error { _, err := c.Read(b); return err },
		"write": func(c *UnixConn) (err error) {
			for err == nil {
				_, err = c.Write(make([]byte, 1<<20))
			}
			return err
		},
	} {
		client, _ := unixPair(t, "unix")
		done := make(chan error)
		go func() { done <- wait(client) }()
		time.Sleep(10 * time.Millisecond)
		client.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("%s while it was closed: %v", what, err)
		}
	}
	// A listener that closes resets who was not accepted.
	ln, err := Listen("unix", "@reset")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Dial("unix", "@reset")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := c.Read(b); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read of a connection that nobody accepted: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, ErrClosed) {
		t.Errorf("accept after Close: %v", err)
	}
}

func TestUnixDeadlines(t *testing.T) {
	client, _ := unixPair(t, "unix")
	b := make([]byte, 1<<20)
	client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := client.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	client.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := client.Write(b); n == 0 || n == len(b) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %d, %v", n, err)
	}
	ln, err := Listen("unix", "@late")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ln.(*UnixListener).SetDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("accept: %v", err)
	}
}

// Packets keep their bounds; what has no room is cut off.
func TestUnixPackets(t *testing.T) {
	client, server := unixPair(t, "unixpacket")
	for _, p := range []string{"one", "twotwo", "3"} {
		if _, err := client.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 4)
	for _, want := range []string{"one", "twot", "3"} {
		if n, err := server.Read(b); err != nil || string(b[:n]) != want {
			t.Errorf("read %q, %v, want %q", b[:n], err, want)
		}
	}
	if _, err := client.Write(make([]byte, unixBuffer)); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("a packet that is too long: %v", err)
	}
}

func TestUnixDatagrams(t *testing.T) {
	t.Chdir(t.TempDir())
	listen := func(name string) *UnixConn {
		c, err := ListenUnixgram("unixgram", &UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	a, b := listen("a"), listen("@b")
	buf := make([]byte, 10)
	if _, err := a.WriteToUnix([]byte("hello"), &UnixAddr{Name: "@b", Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	n, from, err := b.ReadFromUnix(buf)
	if err != nil || string(buf[:n]) != "hello" || from == nil || from.Name != "a" {
		t.Errorf("read %q from %v, %v", buf[:n], from, err)
	}
	c, err := DialUnix("unixgram", nil, &UnixAddr{Name: "a", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(nil)
	c.Write([]byte("x"))
	for _, want := range []string{"", "x"} {
		n, from, err := a.ReadFromUnix(buf)
		if err != nil || string(buf[:n]) != want || from != nil {
			t.Errorf("read %q from %v, %v, want %q of a socket without a name", buf[:n], from, err, want)
		}
	}
	a.Close()
	if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("write to a closed socket: %v", err)
	}
	if _, err := b.WriteToUnix([]byte("x"), &UnixAddr{Name: "none", Net: "unixgram"}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("write to no file: %v", err)
	}
}

// TestUnixBuffers: sizes of buffers are hints, which are taken.
func TestUnixBuffers(t *testing.T) {
	l, err := Listen("unix", "@buffers")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := Dial("unix", "@buffers")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u := c.(*UnixConn)
	if err := u.SetReadBuffer(65536); err != nil {
		t.Errorf("SetReadBuffer: %v", err)
	}
	if err := u.SetWriteBuffer(65536); err != nil {
		t.Errorf("SetWriteBuffer: %v", err)
	}
}
