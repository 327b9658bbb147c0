package vhostuser

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/qemu/passthrough"
)

// connPair makes two connected connections.
func connPair(t testing.TB) (ours, theirs *net.UnixConn) {
	t.Helper()
	ours, f := socketPair(t)
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ours.Close()
		c.Close()
	})
	return ours, c.(*net.UnixConn)
}

// relayedTo makes a relay to the server at back and returns the front-end's end
// of its connection, and what Run will return.
func relayedTo(t testing.TB, back *net.UnixConn) (r *Relay, front *net.UnixConn, ended chan error) {
	t.Helper()
	front, theirs := connPair(t)
	r, ended = NewRelay(theirs, back), make(chan error, 1)
	go func() { ended <- r.Run() }()
	return r, front, ended
}

// restart does what QEMU does when the guest resets the device and starts it
// again; between is called when no ring runs.
func (f *frontend) restart(between func()) {
	f.t.Helper()
	for i := range f.queues {
		f.ask(getVringBase, uint64(i))
	}
	between()
	f.tell(setFeatures, nil, features)
	for i := range f.queues {
		f.startQueue(i)
	}
	f.ask(getFeatures)
}

// greet does a request by the rings.
func (f *frontend) greet(text string) {
	f.t.Helper()
	in, out := f.slot(1, 0)
	copy(in, text)
	if n := f.exchange([]int{len(text)}, []int{100}); n != len(text) || string(out[:n]) != text {
		f.t.Fatalf("%d bytes, %q, want %q", n, out[:n], text)
	}
}

func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(time.Minute):
		t.Fatalf("%s: nothing", what)
	}
	return v
}

// TestRelay has a front-end outlive ten servers. None gets a ring that ran with the
// one before; each gets all that was set.
func TestRelay(t *testing.T) {
	h := &echo{}
	back, _ := served(t, h, t.Logf)
	r, conn, ended := relayedTo(t, back)
	f := connect(t, conn)
	f.greet("first")
	for i := range 10 {
		back.Close() // as if it had been killed
		next, _ := served(t, h, t.Logf)
		joined := make(chan error, 1)
		early := i%2 == 0
		join := func() { r.Join(next, func(err error) { joined <- err }) }
		if early {
			join()
		}
		if i%3 == 0 && early {
			f.ask(getVringBase, 0)
			if len(joined) > 0 {
				t.Fatal("a server has joined while a ring of its predecessor is not stopped")
			}
		}
		f.restart(func() {
			if !early {
				join()
			}
			if err := receive(t, "joining", joined); err != nil {
				t.Fatal(err)
			}
		})
		before := h.requests.Load()
		for k := range 100 {
			f.greet(fmt.Sprint(i, k))
		}
		if n := h.requests.Load() - before; n != 100 {
			t.Fatalf("server %d has seen %d requests of 100", i, n)
		}
		back = next
	}
	conn.Close()
	if err := receive(t, "the end", ended); err != nil {
		t.Error(err)
	}
	if _, err := back.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the server's connection is open: %v", err)
	}
}

// TestRelayWithoutServer has the front-end stop and start the rings, with answers
// asked for, while no server is there; the next one begins with what was set last.
func TestRelayWithoutServer(t *testing.T) {
	h := &echo{}
	back, _ := served(t, h, t.Logf)
	r, conn, _ := relayedTo(t, back)
	f := connect(t, conn)
	back.Close()
	for range 3 {
		for i := range f.queues {
			if base := f.ask(getVringBase, uint64(i)); base != uint64(i) {
				t.Errorf("queue %d stopped at %#x", i, base)
			}
		}
		m := &message{request: setFeatures, flags: version | flagNeedReply}
		m.payload = m.answer(features).payload
		if err := m.send(conn); err != nil {
			t.Fatal(err)
		}
		if reply, err := readMessage(conn); err != nil || reply.request != setFeatures || reply.u64(0) != 0 {
			t.Fatalf("%+v, %v", reply, err)
		}
		for i := range f.queues {
			f.startQueue(i)
		}
	}
	// The rings were started after the first server's end: they are not stale.
	in, out := f.slot(1, 0)
	copy(in, "waiting")
	f.send(1, 0, []int{7}, []int{100})
	next, _ := served(t, h, t.Logf)
	joined := make(chan error, 1)
	r.Join(next, func(err error) { joined <- err })
	if err := receive(t, "joining", joined); err != nil {
		t.Fatal(err)
	}
	f.queues[1].wait()
	if n := receive(t, "the reply", f.queues[1].done[0]); n != 7 || string(out[:7]) != "waiting" {
		t.Errorf("%d bytes, %q", n, out[:7])
	}
}

// TestRelayRefuses turns servers away that cannot take over, and takes the next.
func TestRelayRefuses(t *testing.T) {
	h := &echo{}
	back, _ := served(t, h, t.Logf)
	r, conn, _ := relayedTo(t, back)
	f := connect(t, conn)
	f.greet("first")
	back.Close()
	fake := func(answer func(m *message) *message) *net.UnixConn {
		ours, theirs := connPair(t)
		go func() {
			defer theirs.Close()
			for {
				m, err := readMessage(theirs)
				if err != nil {
					return
				}
				if reply := answer(m); reply != nil && reply.send(theirs) != nil {
					return
				}
				m.close()
			}
		}()
		return ours
	}
	tries := map[string]*net.UnixConn{
		"offers": fake(func(m *message) *message { return m.answer(fVersion1) }),
		"is answered by": fake(func(m *message) *message {
			return &message{request: m.request, flags: version | flagReply, payload: make([]byte, 4000)}
		}),
		"more than 4096": fake(func(m *message) *message {
			return &message{request: m.request, flags: version | flagReply, payload: make([]byte, 5000)}
		}),
		"EOF": func() *net.UnixConn {
			ours, theirs := connPair(t)
			theirs.CloseWrite() // it ends as it is asked
			return ours
		}(),
	}
	f.restart(func() {
		for want, server := range tries {
			joined := make(chan error, 1)
			r.Join(server, func(err error) { joined <- err })
			if err := receive(t, "joining", joined); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: its connection is open: %v", want, err)
			}
		}
		next, _ := served(t, h, t.Logf)
		joined := make(chan error, 1)
		r.Join(next, func(err error) { joined <- err })
		if err := receive(t, "joining", joined); err != nil {
			t.Fatal(err)
		}
	})
	f.greet("second")
	// Who waits when another comes, or when the front-end goes, hears of it.
	joined := make(chan error, 2)
	for range 2 {
		waiting, _ := served(t, h, t.Logf)
		r.Join(waiting, func(err error) { joined <- err })
	}
	if err := receive(t, "the first of two", joined); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Error(err)
	}
	conn.Close()
	if err := receive(t, "the second of two", joined); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	late, _ := served(t, h, t.Logf)
	r.Join(late, func(err error) { joined <- err })
	if err := receive(t, "who is late", joined); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestRelayAtStart ends the front-end's connection with its only server's, as long
// as the device was not in use: QEMU then says so and ends.
func TestRelayAtStart(t *testing.T) {
	back, _ := served(t, &echo{}, t.Logf)
	_, conn, ended := relayedTo(t, back)
	back.Close()
	if err := (&message{request: getFeatures, flags: version}).send(conn); err != nil {
		t.Fatal(err)
	}
	if _, err := readMessage(conn); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end of the connection", err)
	}
	if err := receive(t, "the end", ended); err == nil {
		t.Error("no error")
	}
}

// TestRelayFeatures offers no protocol feature whose messages the relay does not
// know.
func TestRelayFeatures(t *testing.T) {
	ours, theirs := connPair(t)
	go func() {
		for {
			m, err := readMessage(theirs)
			if err != nil || m.reply(theirs, 1<<64-1) != nil {
				return
			}
		}
	}()
	_, conn, _ := relayedTo(t, ours)
	f := &frontend{t: t, conn: conn}
	if got := f.ask(getProtocolFeatures); got != relayed {
		t.Errorf("protocol features %#x, want %#x", got, relayed)
	}
	if got := f.ask(getFeatures); got != 1<<64-1 {
		t.Errorf("features %#x", got)
	}
}

// TestRelayDescriptors leaves none open, however many servers there were.
func TestRelayDescriptors(t *testing.T) {
	h := &echo{}
	count := func() (n int) {
		for fd := range 1024 {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
				n++
			}
		}
		return n
	}
	round := func(t *testing.T, servers int) {
		back, _ := served(t, h, t.Logf)
		r, conn, ended := relayedTo(t, back)
		f := connect(t, conn)
		for range servers {
			back.Close()
			var gone chan error
			joined := make(chan error, 1)
			back, gone = served(t, h, t.Logf)
			f.restart(func() {
				r.Join(back, func(err error) { joined <- err })
				if err := receive(t, "joining", joined); err != nil {
					t.Fatal(err)
				}
			})
			t.Cleanup(func() { receive(t, "the server's end", gone) })
		}
		conn.Close()
		receive(t, "the end", ended)
	}
	t.Run("once", func(t *testing.T) { round(t, 1) })
	before := count()
	for range 5 {
		t.Run("more", func(t *testing.T) { round(t, 5) })
	}
	// What a server was closed with is closed by its own goroutine.
	for deadline := time.Now().Add(time.Minute); count() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, %d before", count(), before)
		}
	}
}

// TestRelayOfFiles has a file system mounted anew with each server: what was
// written before a server's end is there.
func TestRelayOfFiles(t *testing.T) {
	dir := t.TempDir()
	serve := func() *net.UnixConn {
		s, err := passthrough.New(dir, passthrough.Options{Valid: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		conn, _ := served(t, s, t.Logf)
		return conn
	}
	back := serve()
	r, conn, _ := relayedTo(t, back)
	f := connect(t, conn)
	for i := range 5 {
		if i > 0 {
			back.Close()
			back = serve()
			joined := make(chan error, 1)
			f.restart(func() {
				r.Join(back, func(err error) { joined <- err })
				if err := receive(t, "joining", joined); err != nil {
					t.Fatal(err)
				}
			})
		}
		s := newSession(f)
		node, fh := s.openFile()
		s.writeFile(node, fh, 4096)
		s.readFile(node, fh, 4096)
	}
	f.restart(func() {})
	f.run()
	m, err := fusefs.Mount(f, fusefs.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzRelay has a relay read anything from the front-end and from servers.
func FuzzRelay(f *testing.F) {
	ask := []byte{getFeatures, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	answer := []byte{getFeatures, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0, 0}
	stop := []byte{getVringBase, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	kick := []byte{setVringKick, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	f.Add(ask, answer, answer)
	f.Add(append(kick, stop...), answer, answer)
	f.Fuzz(func(t *testing.T, asks, first, second []byte) {
		server := func(answers []byte) *net.UnixConn {
			ours, theirs := connPair(t)
			go io.Copy(io.Discard, theirs)
			go func() {
				theirs.Write(answers)
				theirs.CloseWrite()
			}()
			return ours
		}
		r, conn, ended := relayedTo(t, server(first))
		go io.Copy(io.Discard, conn)
		conn.Write(asks)
		joined := make(chan error, 1)
		r.Join(server(second), func(err error) { joined <- err })
		conn.CloseWrite()
		if err := receive(t, "the end", ended); errors.Is(err, io.EOF) {
			t.Fatal("an end within a message passes for one between two")
		}
		receive(t, "the second server", joined)
	})
}
