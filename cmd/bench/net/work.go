package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/load"
)

// work is what a server is asked for.
type work struct {
	host, udp, tls string
	time           time.Duration // for each row
	add            func(row string, v float64)
}

// all measures each row.
func (w *work) all(ctx context.Context) error {
	for _, n := range []int{1, 16, 256} {
		row := fmt.Sprintf("http-%d", n)
		if err := w.requests(ctx, row, n, true); err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
	}
	if err := w.requests(ctx, "connect", 16, false); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := w.streams("", "http://"+w.host, 1, 8); err != nil {
		return err
	}
	if err := w.handshakes(); err != nil {
		return fmt.Errorf("handshakes: %w", err)
	}
	if err := w.streams("tls-", "https://"+w.tls, 1); err != nil {
		return err
	}
	if err := w.datagrams(); err != nil {
		return fmt.Errorf("udp: %w", err)
	}
	return w.loopback()
}

// frames measures what depends on the size of frames.
func (w *work) frames() error { return w.streams("mtu-", "http://"+w.host, 1) }

// streams measures so many streams at once from a server and to it.
func (w *work) streams(prefix, server string, counts ...int) error {
	for _, n := range counts {
		for _, way := range []string{"down", "up"} {
			row := fmt.Sprintf("%s%s-%d", prefix, way, n)
			if err := w.bulk(row, server, way, n); err != nil {
				return fmt.Errorf("%s: %w", row, err)
			}
		}
	}
	return nil
}

// limit is how long something may take at most, for what hangs.
const limit = time.Minute

// conn is a connection to the server.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func (w *work) dial() (*conn, error) {
	c, err := net.DialTimeout("tcp", w.host, limit)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(limit))
	return &conn{c, bufio.NewReader(c)}, nil
}

// get asks for the page.
func (c *conn) get() error {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: guest\r\n\r\n"); err != nil {
		return err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// requests has n clients ask one after the other for a page, over one connection each
// or a new one for each.
func (w *work) requests(ctx context.Context, row string, n int, keep bool) error {
	var conns []*conn
	if keep {
		for range n {
			c, err := w.dial()
			if err == nil {
				defer c.Close()
				err = c.get()
			}
			if err != nil {
				return err
			}
			conns = append(conns, c)
		}
	}
	took := make([][]time.Duration, n)
	errs := make([]error, n)
	cpu, begin := load.Children(), time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for time.Since(begin) < w.time && errs[i] == nil && ctx.Err() == nil {
				start := time.Now()
				if keep {
					errs[i] = conns[i].get()
				} else if c, err := w.dial(); err != nil {
					errs[i] = err
				} else {
					errs[i] = c.get()
					c.Close()
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	all.Wait()
	spent, used := time.Since(begin), load.Children()-cpu
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	list := slices.Concat(took...)
	slices.Sort(list)
	w.add(row, float64(len(list))/spent.Seconds())
	w.add(row+"-p50", micros(list[len(list)/2]))
	w.add(row+"-p99", micros(list[len(list)*99/100]))
	w.add(row+"-cpu", micros(used)/float64(len(list)))
	return nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// bulkBytes is what bulk moves at first; it moves more until it takes long enough.
const bulkBytes = 8 << 20

// bulk moves bytes by n connections at once.
func (w *work) bulk(row, server, way string, n int) error {
	for bytes := int64(bulkBytes); ; bytes *= 2 {
		cpu, begin := load.Children(), time.Now()
		var all sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			all.Go(func() { errs[i] = move(server, way, bytes/int64(n)) })
		}
		all.Wait()
		spent, used := time.Since(begin), load.Children()-cpu
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		if spent < w.time/2 {
			continue
		}
		w.add(row, float64(bytes)/1e6/spent.Seconds())
		w.add(row+"-cpu", micros(used)/(float64(bytes)/1e6))
		return nil
	}
}

// anyName takes the server's certificate, which it made itself, and begins no session anew.
var anyName = &tls.Config{InsecureSkipVerify: true}

// handshakes connects by TLS, one after the other.
func (w *work) handshakes() error {
	n := 0
	cpu, begin := load.Children(), time.Now()
	for ; time.Since(begin) < w.time; n++ {
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: limit}, "tcp", w.tls, anyName)
		if err != nil {
			return err
		}
		c.Close()
	}
	spent, used := time.Since(begin), load.Children()-cpu
	w.add("handshakes", float64(n)/spent.Seconds())
	w.add("handshakes-cpu", micros(used)/float64(n))
	return nil
}

// move takes bytes from a server, or gives it some.
func move(server, way string, bytes int64) error {
	client := &http.Client{Timeout: limit, Transport: &http.Transport{TLSClientConfig: anyName, DisableKeepAlives: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
	var r *http.Response
	var err error
	if way == "down" {
		r, err = client.Get(fmt.Sprintf("%s/down?bytes=%d", server, bytes))
	} else {
		r, err = client.Post(server+"/up", "application/octet-stream", io.LimitReader(zeros{}, bytes))
	}
	if err != nil {
		return err
	}
	defer r.Body.Close()
	n, err := io.Copy(io.Discard, r.Body)
	if err == nil && way == "down" && n != bytes {
		err = fmt.Errorf("%d of %d bytes", n, bytes)
	}
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// datagrams sends one after the other to the server, which sends it back.
func (w *work) datagrams() error {
	c, err := net.Dial("udp", w.udp)
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, 64)
	n, lost := 0, 0
	cpu, begin := load.Children(), time.Now()
	for time.Since(begin) < w.time {
		if _, err := c.Write(b); err != nil {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(b); err != nil {
			lost++ // as a datagram may be
			continue
		}
		n++
	}
	spent, used := time.Since(begin), load.Children()-cpu
	if n == 0 {
		return fmt.Errorf("%d datagrams lost", lost)
	}
	w.add("udp", float64(n)/spent.Seconds())
	w.add("udp-cpu", micros(used)/float64(n))
	return nil
}

// loopback has the server ask itself.
func (w *work) loopback() error {
	cpu := load.Children()
	r, err := (&http.Client{Timeout: limit}).Get("http://" + w.host + "/loopback")
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var v float64
	var n int
	var text string
	if _, err := fmt.Fscan(r.Body, &v, &n, &text); err != nil || text != "<nil>" {
		return fmt.Errorf("loopback: %s (%v)", text, err)
	}
	w.add("loopback", v)
	w.add("loopback-cpu", micros(load.Children()-cpu)/float64(max(n, 1)))
	return nil
}
