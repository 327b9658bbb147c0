package qemu

import (
	"strings"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

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

// serverEnded does what the end of a server asks for. It reports whether that may be
// a consequence of QEMU's end, which is to show within settleTime: a server ends
// when QEMU closes their connection. But where the kernel has told the exit status
// before, it is one. The guest's calls end at once in any case.
func (g *guest) serverEnded(s *shareServer) (unsettled bool) {
	g.control.upToDate()
	if closed(g.control.exited) {
		return false
	}
	g.link.tell(control.ShareEnded, s.share.Tag, s.how())
	if closed(g.control.main) {
		g.restart(s)
	}
	return true
}

// announce says which servers ended before the guest did.
func (g *guest) announce(ended []*shareServer) {
	for _, s := range ended {
		if closed(g.qemu.done) && !closed(g.control.exited) {
			continue
		}
		then := "its files answer EIO from now on"
		if s.again {
			then = "what is open there answers EIO; the server is started again, for a new mount"
		}
		g.note("share %s: %v; %s", s.share.name(), s.end(), then)
	}
}

// serverFailure is the reason of a QEMU that complains about its connection to a
// server: what that server had to say as it failed, nil if none has.
func (g *guest) serverFailure() error {
	if closed(g.control.main) || !strings.Contains(g.qemu.errs.last(), "vhost") {
		return nil
	}
	deadline := time.After(settleTime) // they have lost their connection
	for _, s := range g.first {
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
