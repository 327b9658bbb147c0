package qemu

import (
	"strings"
	"time"
)

// shareServer is a virtio-fs server at work.
type shareServer struct {
	*process
	share Share
}

// settleTime is how long after a server's end it is still taken for a
// consequence of QEMU's, if that ends too.
const settleTime = time.Second

// how says how the server ended, in a line.
func (s *shareServer) how() string {
	text := "ended"
	if s.err != nil {
		text = s.err.Error()
	}
	return text
}

// serverEnd returns a channel that gets each server that has ended.
func (g *guest) serverEnd() <-chan *shareServer {
	ended := make(chan *shareServer, len(g.servers))
	for _, s := range g.servers {
		go func() {
			<-s.done
			ended <- s
		}()
	}
	return ended
}

// announce says which servers ended before the guest did.
func (g *guest) announce(ended []*shareServer) {
	for _, s := range ended {
		if !closed(g.qemu.done) || closed(g.control.exited) {
			g.note("share %s: %v; its files answer EIO from now on", s.share.name(), s.end())
		}
	}
}

// serverFailure is the reason of a QEMU that complains about its connection to a
// server: what that server had to say as it failed, nil if none has.
func (g *guest) serverFailure() error {
	if closed(g.control.main) || !strings.Contains(g.qemu.errs.last(), "vhost") {
		return nil
	}
	deadline := time.After(settleTime) // they have lost their connection
	for _, s := range g.servers {
		select {
		case <-s.done:
		case <-deadline:
			return nil
		}
		if s.err != nil {
			return &serverError{s.end()}
		}
	}
	return nil
}
