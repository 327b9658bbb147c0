package netstack

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

const testMemory = 64 << 20

// pressedStack has a stack whose memory is used as the result says.
func pressedStack(t testing.TB) (*Stack, *atomic.Pointer[Usage]) {
	t.Helper()
	var use atomic.Pointer[Usage]
	use.Store(&Usage{})
	s, err := New(Options{Memory: testMemory, Usage: func() Usage { return *use.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		use.Store(&Usage{}) // nothing looks any more
		s.memory.now()
		s.Destroy()
	})
	return s, &use
}

func TestMeter(t *testing.T) {
	collected := make(chan struct{}, 1)
	var use Usage
	m := meter{total: testMemory, usage: func() Usage { return use }, looked: func(pressure) {}}
	m.collect = func() {
		m.mu.Lock()
		use = Usage{}
		m.mu.Unlock()
		collected <- struct{}{}
	}
	m.again = time.AfterFunc(time.Hour, func() {}) // looks by the test alone
	for _, tt := range []struct {
		taken, garbage uint64
		want           pressure
		collects       bool
	}{
		{0, 0, memoryFree, false},
		{50 << 20, 40 << 20, memoryFree, false},
		{58 << 20, 0, memoryShort, false},
		{55 << 20, 0, memoryShort, false}, // it does not swing
		{50 << 20, 0, memoryFree, false},
		{58 << 20, 20 << 20, memoryUnclear, true},
		{58 << 20, 1 << 10, memoryShort, false}, // a collection would free nothing
		{63 << 20, 0, memoryOut, false},
		{63 << 20, 30 << 20, memoryOut, true},
		{70 << 20, 0, memoryOut, false},
		{0, 0, memoryFree, false},
	} {
		m.mu.Lock()
		use = Usage{Taken: tt.taken, Garbage: tt.garbage}
		m.look()
		got := pressure(m.level.Load())
		m.mu.Unlock()
		if got != tt.want {
			t.Errorf("%d MiB in use, %d of them garbage: %d, want %d", tt.taken>>20, tt.garbage>>20, got, tt.want)
		}
		if tt.collects {
			<-collected
			for m.mu.Lock(); m.collecting; m.mu.Lock() {
				m.mu.Unlock()
			}
			m.mu.Unlock()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.young.Add(testMemory / youngBytes)
	if m.look(); pressure(m.level.Load()) != memoryOut {
		t.Error("what connections are going to take does not count")
	}
}

// TestAcceptWaits: while memory is short, connections wait to be accepted, but for a few,
// and a listener is not ready; once it is not, all are served.
func TestAcceptWaits(t *testing.T) {
	s, use := pressedStack(t)
	addr := v4(80, 127, 0, 0, 1)
	l := s.listen(t, syscall.AF_INET, addr)
	dial := func() *socket.File {
		c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := connect(t, c, addr); err != nil {
			t.Fatal(err)
		}
		return c
	}
	use.Store(&Usage{Taken: testMemory})
	open, c := 0, dial()
	for ; s.fewOpen(); open, c = open+1, dial() {
		if _, err := accept(l); err != nil {
			t.Fatal(err)
		}
	}
	if want := testMemory / openShare / openBytes / 2; open < want-2 {
		t.Errorf("%d connections were accepted, want %d", open, want)
	}
	if _, err := l.Accept(); err != syscall.EAGAIN {
		t.Fatalf("accept without memory: %v", err)
	}
	if now, _ := l.Poll(fs.PollIn); now != 0 {
		t.Errorf("a listener without memory is ready: %#x", now)
	}
	got := make(chan error, 1)
	go func() {
		d, err := accept(l)
		if err == nil {
			_, err = d.Write([]byte("hello"))
		}
		got <- err
	}()
	use.Store(&Usage{})
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("%q %v", b[:n], err)
	}
}

// TestAcceptClosed: a program that ends connections while memory stays short gets others.
func TestAcceptClosed(t *testing.T) {
	s, use := pressedStack(t)
	addr := v4(80, 127, 0, 0, 1)
	l := s.listen(t, syscall.AF_INET, addr)
	use.Store(&Usage{Taken: testMemory})
	var held []*socket.File
	for s.fewOpen() {
		held = append(held, s.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0))
	}
	c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c, addr); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != syscall.EAGAIN {
		t.Fatalf("accept without memory: %v", err)
	}
	got := make(chan error, 1)
	go func() { _, err := accept(l); got <- err }()
	for _, f := range held {
		f.Release()
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// TestSqueeze: while memory is short buffers are small, those that there are and those
// of connections to come, and what was sent arrives; then they are as before.
func TestSqueeze(t *testing.T) {
	s, use := pressedStack(t)
	addr := v4(80, 127, 0, 0, 1)
	l := s.listen(t, syscall.AF_INET, addr)
	c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c, addr); err != nil {
		t.Fatal(err)
	}
	d, err := accept(l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, 60<<10)); err != nil {
		t.Fatal(err)
	}
	use.Store(&Usage{Taken: testMemory})
	if got := s.memory.now(); got != memoryOut {
		t.Fatal(got)
	}
	for _, f := range []*socket.File{c, d} {
		o := f.Socket.(*sock).ep.SocketOptions()
		if in, out := o.GetReceiveBufferSize(), o.GetSendBufferSize(); in > bufferShort || out > bufferShort {
			t.Errorf("buffers of %d and %d bytes, want no more than %d", in, out, bufferShort)
		}
	}
	var limits tcpip.TCPReceiveBufferSizeRangeOption
	check := func(def, limit int) {
		t.Helper()
		if err := s.TransportProtocolOption(tcp.ProtocolNumber, &limits); err != nil || limits.Default != def || limits.Max != limit {
			t.Errorf("buffers from %d to %d bytes (%v), want %d to %d", limits.Default, limits.Max, err, def, limit)
		}
	}
	check(bufferShort, bufferShort)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 256<<10))
		if err == nil {
			err = c.Shutdown(syscall.SHUT_WR)
		}
		sent <- err
	}()
	if got, err := readAll(d); err != nil || len(got) != 316<<10 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	use.Store(&Usage{})
	s.memory.now()
	check(bufferSizes(testMemory))
}

// TestShares: what connections may have that no program holds is a part of the memory,
// however little there is.
func TestShares(t *testing.T) {
	for _, memory := range []uint64{16 << 20, 64 << 20, 512 << 20, 16 << 30} {
		if n := uint64(timeWaitLimit(memory)); n*endpointBytes > memory/16 {
			t.Errorf("%d MiB: %d connections in TIME_WAIT", memory>>20, n)
		}
		if n := uint64(backlogLimit(memory)); n*endpointBytes > memory/backlogShare {
			t.Errorf("%d MiB: a backlog of %d", memory>>20, n)
		}
	}
	if timeWaitLimit(0) != timeWaitMax || backlogLimit(0) != somaxconn {
		t.Error("where there is enough memory, there are limits")
	}
}
