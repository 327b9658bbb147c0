package dhcp

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Lease is what a server gave.
type Lease struct {
	Address netip.Prefix // the client's own, with the length of its subnet
	Server  netip.Addr
	Message // all else
	// Expires is how long the address may be used; 0: for ever.
	Expires time.Duration
}

// Conn carries a client's messages.
type Conn interface {
	// Send sends a message from an address (not valid: of none) to a server (not
	// valid: to all).
	Send(message []byte, from, to netip.Addr)
	// Received is where what servers send comes.
	Received() <-chan []byte
}

// Client gets an address, and keeps it.
type Client struct {
	Conn     Conn
	MAC      [6]byte
	Hostname string // "": none is told
	// Restart gets something when the link has come up again, or the machine was
	// somewhere else: the lease is asked for anew.
	Restart <-chan struct{}
	// Got is told of each lease that is new or renewed, Lost when one is over.
	Got  func(*Lease)
	Lost func()
	// Unit is how long a second is; 0: a second.
	Unit time.Duration

	xid   uint32
	began time.Time
}

// Times in units of the client (RFC 2131 §4.1, but that the first message is repeated
// sooner: most servers are near).
const (
	firstPause = 1
	lastPause  = 64
	// renewPause is the least between two requests for a longer lease (§4.4.5).
	renewPause = 60
	// tries is how often an offer is asked for before another one is.
	tries = 4
	// leaseDefault is for a server that names no time.
	leaseDefault = 3600
	leaseMin     = 10
)

func (c *Client) unit(n float64) time.Duration {
	u := c.Unit
	if u == 0 {
		u = time.Second
	}
	return time.Duration(n * float64(u))
}

// scaled is a time of a server's in units of the client.
func (c *Client) scaled(d time.Duration) time.Duration { return c.unit(d.Seconds()) }

// Run gets leases and renews them until ctx ends.
func (c *Client) Run(ctx context.Context) {
	for ctx.Err() == nil {
		l := c.acquire(ctx)
		if l == nil {
			return
		}
		c.keep(ctx, l)
		if ctx.Err() == nil {
			c.Lost()
		}
	}
}

// begin starts a transaction.
func (c *Client) begin() { c.xid, c.began = rand.Uint32(), time.Now() }

// acquire gets a new lease.
func (c *Client) acquire(ctx context.Context) *Lease {
	pause := float64(firstPause)
	c.begin()
	for ctx.Err() == nil {
		c.send(&Message{Kind: Discover}, netip.Addr{}, netip.Addr{})
		offer := c.wait(ctx, c.unit(pause+rand.Float64()-0.5), func(m *Message) bool {
			return m.Kind == Offer && m.Server.IsValid() && usable(m.Yours)
		})
		if offer == nil {
			pause = min(2*pause, lastPause)
			continue
		}
		for i := 0; i < tries && ctx.Err() == nil; i++ {
			c.send(&Message{Kind: Request, Request: offer.Yours, Server: offer.Server}, netip.Addr{}, netip.Addr{})
			m := c.wait(ctx, c.unit(firstPause*float64(uint(1)<<i)), func(m *Message) bool {
				return (m.Kind == Ack || m.Kind == Nak) && (!m.Server.IsValid() || m.Server == offer.Server)
			})
			if m != nil && m.Kind == Ack && usable(m.Yours) {
				if !m.Server.IsValid() {
					m.Server = offer.Server
				}
				return c.accept(m)
			}
			if m != nil {
				break
			}
		}
		c.begin()
		if !c.sleep(ctx, c.unit(pause)) { // a server that offers and refuses is not to be pressed
			return nil
		}
		pause = min(2*pause, lastPause)
	}
	return nil
}

// usable reports whether an address can be a machine's.
func usable(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// accept makes a lease of an acknowledgement, and tells of it.
func (c *Client) accept(m *Message) *Lease {
	bits := m.Mask
	if bits == 0 {
		bits = classBits(m.Yours)
	}
	l := &Lease{Address: netip.PrefixFrom(m.Yours, bits), Server: m.Server, Message: *m}
	if !m.infinite {
		l.Expires = m.Lease
		if l.Expires == 0 {
			l.Expires = leaseDefault * time.Second
		}
		l.Expires = max(l.Expires, leaseMin*time.Second)
	}
	if l.Renewal <= 0 || l.Renewal >= l.Expires {
		l.Renewal = l.Expires / 2
	}
	if l.Rebind <= l.Renewal || l.Rebind >= l.Expires {
		l.Rebind = l.Expires / 8 * 7
	}
	c.Got(l)
	return l
}

// classBits is the length of the subnet of an address whose server does not say it.
func classBits(a netip.Addr) int {
	switch b := a.As4()[0]; {
	case b < 128:
		return 8
	case b < 192:
		return 16
	}
	return 24
}

// keep renews a lease until it is over.
func (c *Client) keep(ctx context.Context, l *Lease) {
	for l != nil && ctx.Err() == nil {
		l = c.renew(ctx, l)
	}
}

// renew waits until a lease is to be renewed and returns the new one, nil: it is over.
func (c *Client) renew(ctx context.Context, l *Lease) *Lease {
	got := time.Now()
	at := func(d time.Duration) time.Duration { return time.Until(got.Add(c.scaled(d))) }
	for {
		renewal, expires := l.Renewal, l.Expires
		if expires == 0 {
			renewal, expires = forever, forever
		}
		if !c.sleep(ctx, at(renewal)) {
			if ctx.Err() != nil {
				return nil
			}
			if m := c.reboot(ctx, l); m == nil {
				continue // nobody says that it may not be used
			} else if m.Kind == Nak {
				return nil
			} else {
				return c.accept(m)
			}
		}
		c.begin()
		for {
			left := at(expires)
			if left <= 0 {
				return nil
			}
			to, until := l.Server, at(l.Rebind)
			if until <= 0 {
				to, until = netip.Addr{}, left
			}
			c.send(&Message{Kind: Request, Client: l.Address.Addr()}, l.Address.Addr(), to)
			m := c.wait(ctx, min(max(until/2, c.unit(renewPause)), max(until, c.unit(firstPause)), left), func(m *Message) bool {
				return m.Kind == Nak || m.Kind == Ack && m.Yours == l.Address.Addr()
			})
			switch {
			case ctx.Err() != nil || m != nil && m.Kind == Nak:
				return nil
			case m != nil:
				if !m.Server.IsValid() {
					m.Server = l.Server
				}
				return c.accept(m)
			}
		}
	}
}

// forever is longer than any machine runs.
const forever = 100 * 365 * 24 * time.Hour

// reboot asks whether an address may be used on, for the link may be another one (RFC
// 2131 §3.2). It returns the answer, nil: there is none.
func (c *Client) reboot(ctx context.Context, l *Lease) *Message {
	c.begin()
	for i := range tries {
		c.send(&Message{Kind: Request, Request: l.Address.Addr()}, netip.Addr{}, netip.Addr{})
		m := c.wait(ctx, c.unit(firstPause*float64(uint(1)<<i)), func(m *Message) bool {
			return m.Kind == Nak || m.Kind == Ack && m.Yours == l.Address.Addr()
		})
		if m != nil || ctx.Err() != nil {
			return m
		}
	}
	return nil
}

func (c *Client) send(m *Message, from, to netip.Addr) {
	m.XID, m.MAC, m.Hostname = c.xid, c.MAC, c.Hostname
	m.Secs = uint16(min(time.Since(c.began)/time.Second, 1<<16-1))
	c.Conn.Send(m.Encode(), from, to)
}

// wait returns the first answer that want accepts, nil when the time is over.
func (c *Client) wait(ctx context.Context, d time.Duration, want func(*Message) bool) *Message {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			return nil
		case b := <-c.Conn.Received():
			m, err := Decode(b)
			if err == nil && m.XID == c.xid && m.MAC == c.MAC && want(m) {
				return m
			}
		}
	}
}

// sleep waits. False: it was interrupted.
func (c *Client) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-c.Restart:
			return false
		case <-c.Conn.Received(): // too late, or from nobody who was asked
		case <-t.C:
			return true
		}
	}
}
