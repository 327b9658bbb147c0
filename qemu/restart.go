package qemu

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/yolkos/yolk/kernel/control"
	"github.com/yolkos/yolk/qemu/vhostuser"
)

// shareServer is a virtio-fs server at work, one of those that a share has in a run,
// one after the other.
type shareServer struct {
	*process
	share Share
	keep  io.Closer // closing it ends the built-in server
	relay *vhostuser.Relay
	begun time.Time
	short int  // how many before it, one after the other, lived for less than shortLife
	again bool // another one follows
}

// A server that ends is started again at once; one that did not live long, after a
// pause that doubles with each that did not. When shortLives in a row did not, the
// share is given up.
const (
	shortLife  = 10 * time.Second
	firstPause = 50 * time.Millisecond
	shortLives = 10
)

// pause is how long to wait before the server that comes after s, and how many
// short lives that has before it; ok is false if there is to be none.
func (s *shareServer) pause(now time.Time) (wait time.Duration, short int, ok bool) {
	if now.Sub(s.begun) >= shortLife {
		return 0, 0, true
	}
	return firstPause << s.short, s.short + 1, s.short < shortLives
}

// servers starts servers beside the guest, and ends them all.
type servers struct {
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan *shareServer

	mu      sync.Mutex
	running sync.WaitGroup // what starts servers
	live    map[*shareServer]bool
}

func newServers() *servers {
	ctx, cancel := context.WithCancel(context.Background())
	return &servers{ctx: ctx, cancel: cancel, ended: make(chan *shareServer), live: map[*shareServer]bool{}}
}

// add takes a server that has been started, and has its end told.
func (l *servers) add(s *shareServer) {
	l.mu.Lock()
	l.live[s] = true
	l.mu.Unlock()
	go func() {
		<-s.done
		select {
		case l.ended <- s:
		case <-l.ctx.Done():
		}
	}()
}

// close ends all servers, and what starts them.
func (l *servers) close() {
	l.cancel()
	l.running.Wait()
	for s := range l.live {
		s.keep.Close()
		s.kill()
	}
}

// serve starts the first server of a share, with a relay. It returns the socket for
// QEMU.
func (g *guest) serve(share Share) (*os.File, error) {
	p, back, keep, err := g.server.serve(share, g.o.Self, g.o.Trace, g.o.Trace)
	if err != nil {
		return nil, err
	}
	s := &shareServer{process: p, share: share, keep: keep, begun: time.Now()}
	g.first = append(g.first, s)
	g.servers.add(s)
	front, theirs, err := pair()
	if err != nil {
		back.Close()
		return nil, err
	}
	s.relay = vhostuser.NewRelay(front, back)
	go s.relay.Run() // if it fails, QEMU says what it misses
	return theirs, nil
}

// restart starts the next server of a share in the background, if there is to be
// one. The guest hears of it once its device can be started again.
func (g *guest) restart(s *shareServer) {
	wait, short, ok := s.pause(time.Now())
	if !ok {
		return
	}
	s.again = true
	g.servers.running.Go(func() {
		select {
		case <-time.After(wait):
		case <-g.servers.ctx.Done():
			return
		}
		p, back, keep, err := g.server.serve(s.share, g.o.Self, g.o.Trace, g.o.Trace)
		if err != nil {
			g.note("share %s: its server is not started again: %v", s.share.name(), err)
			return
		}
		next := &shareServer{process: p, share: s.share, keep: keep, relay: s.relay, begun: time.Now(), short: short}
		next.relay.Join(back, func(err error) {
			switch {
			case err == nil:
				g.link.tell(control.ShareStarted, s.share.Tag)
			case !errors.Is(err, net.ErrClosed): // QEMU has ended
				g.note("share %s: its server, started again: %v", s.share.name(), err)
			}
		})
		g.servers.add(next)
	})
}
