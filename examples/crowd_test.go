package examples

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// TestGuestCrowd: a server in a small machine serves each of many who come at once,
// and is held up by none of those who take nothing of what they asked for.
func TestGuestCrowd(t *testing.T) {
	yolk := guestTest(t)
	for _, machine := range []string{"microvm", "q35"} {
		t.Run(machine, func(t *testing.T) {
			s := serve(t, yolk, "testdata/crowd", []string{"80"}, "--machine", machine, "--mem", "48M", ".")
			up(s)
			for range 10 {
				stall(t, s)
			}
			crowd(t, s, 200, 1000)
			s.stop()
		})
	}
}

// TestScaleCrowd is make scale-net's: many connections at once, and one after the other.
func TestScaleCrowd(t *testing.T) {
	if os.Getenv("YOLK_SCALE") == "" {
		t.Skip("make scale-net runs it")
	}
	yolk := guestTest(t)
	t.Run("open", func(t *testing.T) {
		s := serve(t, yolk, "testdata/crowd", []string{"80"}, "--mem", "512M", ".")
		up(s)
		var open []*client
		for i := range 10000 {
			c, err := dial(s)
			if err == nil {
				err = c.ask()
			}
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			open = append(open, c)
		}
		for i, c := range open { // each is still there
			if err := c.ask(); err != nil {
				t.Fatalf("connection %d of %d: %v", i, len(open), err)
			}
			c.Close()
		}
		crowd(t, s, 10, 100)
		s.stop()
	})
	t.Run("short", func(t *testing.T) {
		s := serve(t, yolk, "testdata/crowd", []string{"80"}, "--mem", "64M", ".")
		up(s)
		crowd(t, s, 4, 100000)
		s.stop()
	})
}

// client is a connection over which pages are asked for.
type client struct {
	net.Conn
	in *bufio.Reader
}

// answerTime is the limit for an answer, for what hangs.
const answerTime = 3 * time.Minute

func dial(s *server) (*client, error) {
	c, err := net.DialTimeout("tcp", s.addr("80"), answerTime)
	if err != nil {
		return nil, err
	}
	return &client{c, bufio.NewReader(c)}, nil
}

// ask asks for the page.
func (c *client) ask() error {
	_ = c.SetDeadline(time.Now().Add(answerTime))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: guest\r\n\r\n"); err != nil {
		return err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r.Body)
	if err == nil && string(text) != "hello\n" {
		err = fmt.Errorf("got %q", text)
	}
	return err
}

// up waits until the server serves.
func up(s *server) { s.client("hello", "curl", "-sS", "http://"+s.addr("80")+"/") }

// stall asks for what never ends, and takes nothing of it until the test ends.
func stall(t *testing.T, s *server) {
	t.Helper()
	c, err := dial(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(answerTime))
	if _, err := io.WriteString(c, "GET /stream HTTP/1.1\r\nHost: guest\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.in.Peek(1); err != nil {
		t.Fatal(err)
	}
}

// crowd has so many clients at once make connections for one page each.
func crowd(t *testing.T, s *server, clients, pages int) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := 0; i < pages/clients && ctx.Err() == nil; i++ {
				c, err := dial(s)
				if err == nil {
					err = c.ask()
					c.Close()
				}
				if err != nil {
					cancel(fmt.Errorf("page %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		t.Error(err)
	}
}
