// Command netops counts, as cmd/bench/ops does, what the network costs within a guest:
// both ends of each connection are its own. It is a program by itself because one that
// has package net starts with a stack.
package main

import (
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

func main() { guest.Main(run) }

func run(args []string) error {
	if err := guest.StartNetwork(netip.Addr{}); err != nil {
		return err
	}
	set := flag.NewFlagSet("netops", flag.ContinueOnError)
	c := ops.NewCounter(set)
	set.String("root", "", "not used") // given to all
	set.Bool("all", false, "not used")
	if err := set.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(-1) // a cycle is none of the operations
	c.Settle()
	for _, rows := range []func(*ops.Counter) error{streams, datagrams, requests} {
		if err := rows(c); err != nil {
			return err
		}
	}
	return c.Print()
}

// bulk is how much a row of bytes moves, in bytes.
const bulk = 1 << 20

// streams counts connections of TCP: one that is there, and those that are made.
func streams(c *ops.Counter) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	dial := func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	conn, err := dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	b := make([]byte, 1)
	there := func() error {
		if _, err := conn.Write(b); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, b)
		return err
	}
	c.Count(ops.Loopback+" TCP there and back", 20, there)
	many := make([]byte, bulk)
	c.Count(ops.Loopback+" TCP 1 MiB", 2, func() error {
		many[0] = more
		if _, err := conn.Write(many); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, b)
		return err
	})
	c.Count(ops.Loopback+" TCP connection", 5, func() error {
		one, err := dial()
		if err != nil {
			return err
		}
		defer one.Close()
		if _, err := one.Write(b[:1]); err != nil {
			return err
		}
		_, err = io.ReadFull(one, b)
		return err
	})
	return nil
}

// more is the first of bulk bytes.
const more = 1

// answer sends a byte back for each that comes, and one for bulk.
func answer(c net.Conn) {
	defer c.Close()
	b := make([]byte, 64<<10)
	left := 0 // of bulk
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if left == 0 && b[0] == more {
			left = bulk
		}
		if left > 0 {
			if left -= n; left > 0 {
				continue
			}
			n = 1
		}
		b[0] = 0
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// datagrams counts one that is sent back.
func datagrams(c *ops.Counter) error {
	far, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer far.Close()
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := far.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = far.WriteTo(b[:n], from)
		}
	}()
	conn, err := net.Dial("udp", far.LocalAddr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	b := make([]byte, 64)
	c.Count(ops.Loopback+" UDP there and back", 20, func() error {
		if _, err := conn.Write(b); err != nil {
			return err
		}
		_, err := conn.Read(b)
		return err
	})
	return nil
}

// requests counts one of HTTP on a connection that is there.
func requests(c *ops.Counter) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{}}
	url := "http://" + l.Addr().String() + "/"
	c.Count(ops.Loopback+" HTTP request", 10, func() error {
		r, err := client.Get(url)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		_, err = io.Copy(io.Discard, r.Body)
		return err
	})
	client.CloseIdleConnections()
	if err := errors.Join(server.Close(), <-ended); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
