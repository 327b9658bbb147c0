package vhostuser

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

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

// server is a device in this process.
type server struct {
	t     testing.TB
	conn  *net.UnixConn // the relay's end
	ended chan error
}

func newServer(t testing.TB, h Handler) *server {
	conn, ended := served(t, h, t.Logf)
	return &server{t, conn, ended}
}

// kill ends the server as it looks from outside when it is killed: nothing of it is
// left in the guest's memory.
func (s *server) kill() {
	s.t.Helper()
	s.conn.Close()
	receive(s.t, "the server's end", s.ended)
}

// join has a server take over, and waits for that.
func (r *Relay) join(t testing.TB, s *server) {
	t.Helper()
	joined := make(chan error, 1)
	r.Join(s.conn, func(err error) { joined <- err })
	if err := receive(t, "joining", joined); err != nil {
		t.Fatal(err)
	}
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
	back := newServer(t, h)
	r, conn, ended := relayedTo(t, back.conn)
	f := connect(t, conn)
	f.greet("first")
	for i := range 10 {
		back.kill()
		back = newServer(t, h)
		if i%2 == 0 { // it comes before the rings are stopped
			joined := make(chan error, 1)
			r.Join(back.conn, func(err error) { joined <- err })
			f.ask(getVringBase, 0)
			if len(joined) > 0 {
				t.Fatal("a server has joined while a ring of its predecessor is not stopped")
			}
			f.restart(func() {
				if err := receive(t, "joining", joined); err != nil {
					t.Fatal(err)
				}
			})
		} else {
			f.restart(func() { r.join(t, back) })
		}
		before := h.requests.Load()
		for k := range 100 {
			f.greet(fmt.Sprint(i, k))
		}
		if n := h.requests.Load() - before; n != 100 {
			t.Fatalf("server %d has seen %d requests of 100", i, n)
		}
	}
	conn.Close()
	if err := receive(t, "the end", ended); err != nil {
		t.Error(err)
	}
	if err := receive(t, "the last server's end", back.ended); err != nil {
		t.Error(err)
	}
}

// TestRelayWithoutServer has the front-end stop and start the rings, with answers
// asked for, while no server is there; the next one begins with what was set last.
func TestRelayWithoutServer(t *testing.T) {
	h := &echo{}
	back := newServer(t, h)
	r, conn, _ := relayedTo(t, back.conn)
	f := connect(t, conn)
	back.kill()
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
	r.join(t, newServer(t, h))
	f.queues[1].wait()
	if n := receive(t, "the reply", f.queues[1].done[0]); n != 7 || string(out[:7]) != "waiting" {
		t.Errorf("%d bytes, %q", n, out[:7])
	}
}

// TestRelayRefuses turns servers away that cannot take over, and takes the next.
func TestRelayRefuses(t *testing.T) {
	h := &echo{}
	back := newServer(t, h)
	r, conn, _ := relayedTo(t, back.conn)
	f := connect(t, conn)
	f.greet("first")
	back.kill()
	fake := func(answer func(m *message) *message) *net.UnixConn {
		ours, theirs := connPair(t)
		go func() {
			defer theirs.Close()
			for {
				m, err := readMessage(theirs)
				if err != nil {
					return
				}
				err = answer(m).send(theirs)
				m.close()
				if err != nil {
					return
				}
			}
		}()
		return ours
	}
	ends, theirs := connPair(t)
	theirs.CloseWrite()
	tries := map[string]*net.UnixConn{
		"offers": fake(func(m *message) *message { return m.answer(fVersion1) }),
		"is answered by": fake(func(m *message) *message {
			return &message{request: m.request, flags: version | flagReply, payload: make([]byte, 4000)}
		}),
		"more than 4096": fake(func(m *message) *message {
			return &message{request: m.request, flags: version | flagReply, payload: make([]byte, 5000)}
		}),
		"EOF": ends, // it ends as it is asked
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
		r.join(t, newServer(t, h))
	})
	f.greet("second")
}

// TestRelayWaiting: a server that waits hears when another one comes, or when the
// front-end goes.
func TestRelayWaiting(t *testing.T) {
	h := &echo{}
	back := newServer(t, h)
	r, conn, ended := relayedTo(t, back.conn)
	connect(t, conn)
	joined := make(chan error, 1)
	join := func() { r.Join(newServer(t, h).conn, func(err error) { joined <- err }) }
	join()
	join()
	if err := receive(t, "the first of two", joined); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Error(err)
	}
	conn.Close()
	receive(t, "the end", ended)
	if err := receive(t, "the second of two", joined); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	join()
	if err := receive(t, "who is late", joined); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestRelayAtStart ends the front-end's connection with its only server's, as long
// as the device was not in use: QEMU then says so and ends.
func TestRelayAtStart(t *testing.T) {
	back := newServer(t, &echo{})
	_, conn, ended := relayedTo(t, back.conn)
	back.kill()
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
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	round := func(t *testing.T) {
		h := &echo{}
		back := newServer(t, h)
		r, conn, ended := relayedTo(t, back.conn)
		f := connect(t, conn)
		for range 5 {
			back.kill()
			back = newServer(t, h)
			f.restart(func() { r.join(t, back) })
		}
		conn.Close()
		receive(t, "the end", ended)
		receive(t, "the server's end", back.ended)
	}
	t.Run("once", round)
	before := count()
	for range 5 {
		t.Run("more", round)
	}
	// served closes a server's connection just after it has told its end.
	for deadline := time.Now().Add(time.Minute); count() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, %d before", count(), before)
		}
	}
}

// TestRelayOfFiles has a FUSE session with each server: what was written before a
// server's end is there.
func TestRelayOfFiles(t *testing.T) {
	dir := t.TempDir()
	serve := func() *server {
		s, err := passthrough.New(dir, passthrough.Options{Valid: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return newServer(t, s)
	}
	back := serve()
	r, conn, _ := relayedTo(t, back.conn)
	f := connect(t, conn)
	for i := range 5 {
		if i > 0 {
			back.kill()
			back = serve()
			f.restart(func() { r.join(t, back) })
		}
		s := newSession(f)
		node, fh := s.openFile()
		if i > 0 {
			s.readFile(node, fh, 4096*i)
		}
		s.writeFile(node, fh, 4096*(i+1))
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
