//go:build tamago

package net

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// stack is a network whose only host is itself, for SocketFunc.
type stack struct {
	t         *testing.T
	listeners map[string]*stackListener
	calls     []stackCall
}

type stackCall struct {
	network      string
	family, kind int
	laddr, raddr Addr
}

type stackListener struct {
	addr  Addr
	conns chan Conn
	done  chan struct{}
}

func (l *stackListener) Addr() Addr   { return l.addr }
func (l *stackListener) Close() error { close(l.done); return nil }

func (l *stackListener) Accept() (Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, errors.New("endpoint is gone")
	}
}

// stackConn gives a pipe the addresses of a connection.
type stackConn struct {
	Conn
	laddr, raddr Addr
}

func (c *stackConn) LocalAddr() Addr  { return c.laddr }
func (c *stackConn) RemoteAddr() Addr { return c.raddr }

// stackPackets sends every packet back.
type stackPackets struct {
	addr Addr
	back chan []byte
	from Addr
}

func (p *stackPackets) LocalAddr() Addr                    { return p.addr }
func (p *stackPackets) Close() error                       { return nil }
func (p *stackPackets) SetDeadline(t time.Time) error      { return nil }
func (p *stackPackets) SetReadDeadline(t time.Time) error  { return nil }
func (p *stackPackets) SetWriteDeadline(t time.Time) error { return nil }

func (p *stackPackets) ReadFrom(b []byte) (int, Addr, error) {
	return copy(b, <-p.back), p.from, nil
}
func (p *stackPackets) WriteTo(b []byte, to Addr) (int, error) {
	p.from = to
	p.back <- append([]byte(nil), b...)
	return len(b), nil
}

func (s *stack) socket(ctx context.Context, network string, family, sotype int, laddr, raddr Addr) (any, error) {
	s.calls = append(s.calls, stackCall{network, family, sotype, laddr, raddr})
	switch {
	case sotype == syscall.SOCK_DGRAM && raddr == nil:
		return &stackPackets{addr: laddr, back: make(chan []byte, 8)}, nil
	case raddr == nil:
		l := &stackListener{laddr, make(chan Conn, 8), make(chan struct{})}
		s.listeners[laddr.String()] = l
		return l, nil
	}
	l := s.listeners[raddr.String()]
	if l == nil {
		return nil, &OpError{Op: "connect", Err: syscall.ECONNREFUSED}
	}
	here, there := Pipe()
	local := &TCPAddr{IP: IPv4(10, 0, 0, 1), Port: 1025}
	l.conns <- &stackConn{there, l.addr, local}
	return &stackConn{here, local, raddr}, nil
}

func hook(t *testing.T) *stack {
	s := &stack{t: t, listeners: make(map[string]*stackListener)}
	SocketFunc = s.socket
	t.Cleanup(func() { SocketFunc = nil })
	return s
}

func TestSocketFuncStream(t *testing.T) {
	s := hook(t)
	ln, err := Listen("tcp", "10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		io.Copy(c, c)
		c.Close()
	}()
	c, err := Dial("tcp", "10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.(*TCPConn); !ok {
		t.Errorf("Dial returned a %T", c)
	}
	if got := c.LocalAddr().String() + " " + c.RemoteAddr().String(); got != "10.0.0.1:1025 10.0.0.1:80" {
		t.Errorf("addresses are %s", got)
	}
	if _, err := c.Write([]byte("echo")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "echo" {
		t.Fatalf("read %q, %v", b, err)
	}
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the deadline: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(b); !errors.Is(err, ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, ErrClosed) {
		t.Errorf("accept after Close: %v", err)
	}
	for i, want := range []stackCall{
		{"tcp", syscall.AF_INET, syscall.SOCK_STREAM, &TCPAddr{}, nil},
		{"tcp", syscall.AF_INET, syscall.SOCK_STREAM, nil, &TCPAddr{}},
	} {
		got := s.calls[i]
		if got.network != want.network || got.family != want.family || got.kind != want.kind ||
			(got.laddr == nil) != (want.laddr == nil) || (got.raddr == nil) != (want.raddr == nil) {
			t.Errorf("call %d was %+v", i, got)
		}
	}
}

func TestSocketFuncFamily(t *testing.T) {
	s := hook(t)
	for _, test := range []struct {
		network, address string
		family           int
	}{
		{"tcp", ":80", syscall.AF_INET},
		{"tcp4", ":80", syscall.AF_INET},
		{"tcp6", ":80", syscall.AF_INET6},
		{"tcp", "[fd00::1]:80", syscall.AF_INET6},
		{"tcp", "10.0.0.1:80", syscall.AF_INET},
	} {
		s.calls = nil
		ln, err := Listen(test.network, test.address)
		if err != nil {
			t.Errorf("%s %s: %v", test.network, test.address, err)
			continue
		}
		ln.Close()
		if got := s.calls[0].family; got != test.family {
			t.Errorf("%s %s: family %d, want %d", test.network, test.address, got, test.family)
		}
	}
}

func TestSocketFuncRefused(t *testing.T) {
	hook(t)
	_, err := Dial("tcp", "10.0.0.1:81")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatal(err)
	}
	if want := "dial tcp 10.0.0.1:81: connection refused"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestSocketFuncPackets(t *testing.T) {
	hook(t)
	c, err := ListenUDP("udp", &UDPAddr{IP: IPv4(10, 0, 0, 1), Port: 53})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := netip.MustParseAddrPort("10.0.0.2:99")
	if _, err := c.WriteToUDPAddrPort([]byte("packet"), to); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "packet" || from != to {
		t.Errorf("got %q from %v, %v", b[:n], from, err)
	}
}
