package usernet

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/waiter"
)

const dnsPort = 53

// Of queries that are being answered; others are dropped, and sent again by who
// asks. A stream that asks nothing for dnsIdle is closed (RFC 7766 §6.2.3).
const (
	maxQueries = 512
	dnsIdle    = 10 * time.Second
)

// serveDNS answers the queries of a flow.
func (n *Network) serveDNS(f *flow) {
	f.guest.receive(nil, func(p []byte) {
		f.used()
		query := append([]byte(nil), p...)
		n.resolver.start(func() {
			if reply := n.resolver.answer(n.ctx, query, false); reply != nil {
				f.guest.send(reply)
			}
		})
	})
	n.flows.remove(f)
}

// serveDNSStream answers the queries of a connection, one after the other. Each is
// preceded by its length in two bytes (RFC 1035 §4.2.2).
func (n *Network) serveDNSStream(ep tcpip.Endpoint, wq *waiter.Queue) {
	conn := gonet.NewTCPConn(wq, ep)
	defer conn.Close()
	defer context.AfterFunc(n.ctx, func() { conn.Close() })()
	n.resolver.run(func() {
		for {
			if err := conn.SetDeadline(time.Now().Add(dnsIdle)); err != nil {
				return
			}
			query, err := readDNS(conn)
			if err != nil {
				return
			}
			reply := n.resolver.answer(n.ctx, query, true)
			if reply == nil {
				return
			}
			// It may have taken its time.
			if err := conn.SetDeadline(time.Now().Add(dnsIdle)); err != nil {
				return
			}
			if err := writeDNS(conn, reply); err != nil {
				return
			}
		}
	})
}

func readDNS(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	p := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, p)
	return p, err
}

func writeDNS(w io.Writer, p []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
	return err
}

// resolver answers what the guest asks as the host would: from its /etc/hosts, then
// from the name servers of its /etc/resolv.conf.
type resolver struct {
	config *Config
	conf   *watched[resolvConfig]
	hosts  *watched[hostNames]
	slots  chan struct{}
}

func newResolver(c *Config, conf, hosts string) *resolver {
	return &resolver{
		config: c,
		conf:   &watched[resolvConfig]{name: conf, parse: parseResolvConf},
		hosts:  &watched[hostNames]{name: hosts, parse: parseHosts},
		slots:  make(chan struct{}, maxQueries),
	}
}

// start does something in the background, unless too much is being done.
func (r *resolver) start(do func()) {
	select {
	case r.slots <- struct{}{}:
		go func() {
			defer func() { <-r.slots }()
			do()
		}()
	default:
	}
}

// run is start in the foreground.
func (r *resolver) run(do func()) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
		do()
	default:
	}
}

// answer answers a query; nil if there is nothing to say to that.
func (r *resolver) answer(ctx context.Context, query []byte, stream bool) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return failure(h, nil, dnsmessage.RCodeFormatError)
	}
	if _, err := p.Question(); err != dnsmessage.ErrSectionDone {
		return failure(h, nil, dnsmessage.RCodeFormatError)
	}
	if h.OpCode != 0 {
		return failure(h, &q, dnsmessage.RCodeNotImplemented)
	}
	if reply := r.local(h, q); reply != nil {
		return reply
	}
	if reply := r.forward(ctx, query, q, stream); reply != nil {
		return reply
	}
	return failure(h, &q, dnsmessage.RCodeServerFailure)
}

// failure is an answer without records; q may be nil.
func failure(h dnsmessage.Header, q *dnsmessage.Question, code dnsmessage.RCode) []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{
		ID: h.ID, Response: true, OpCode: h.OpCode, RecursionDesired: h.RecursionDesired, RecursionAvailable: true, RCode: code,
	}}
	if q != nil {
		m.Questions = []dnsmessage.Question{*q}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil // a name that cannot be written
	}
	return reply
}

// localTTL is how long an answer from /etc/hosts may be kept, in seconds.
const localTTL = 10

// local answers from /etc/hosts, and what is of every host (RFC 6761 §6.3). A name
// of the host's loopback, which many a host has for itself, is the router for the
// guest. It returns nil if the name is not there.
func (r *resolver) local(h dnsmessage.Header, q dnsmessage.Question) []byte {
	if q.Class != dnsmessage.ClassINET {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	addrs, known := r.hosts.get()[name]
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		addrs, known = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, true
	} else {
		addrs = slices.Clone(addrs)
		for i, a := range addrs {
			if a.IsLoopback() {
				addrs[i] = r.config.routerAddr(a)
			}
		}
	}
	if !known || q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeAAAA {
		return nil
	}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: h.ID, Response: true, Authoritative: true, RecursionDesired: h.RecursionDesired, RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{q},
	}
	for _, a := range addrs {
		rh := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: localTTL}
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: rh, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: rh, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// forward asks the host's name servers, one after the other, and returns the first
// answer. It is nil if none has one in time.
func (r *resolver) forward(ctx context.Context, query []byte, q dnsmessage.Question, stream bool) []byte {
	conf := r.conf.get()
	for range conf.attempts {
		for _, server := range conf.servers {
			if reply, err := exchange(ctx, server, query, q, stream, conf.timeout); err == nil {
				return reply
			}
			if ctx.Err() != nil {
				return nil
			}
		}
	}
	return nil
}

// exchange asks a server. The id is another one than the guest's, and so is the
// port: both are for nobody to guess (RFC 5452 §9).
func exchange(ctx context.Context, server netip.AddrPort, query []byte, q dnsmessage.Question, stream bool, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	network := "udp"
	if stream {
		network = "tcp"
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	asked := append([]byte(nil), query...)
	id := uint16(rand.Uint32())
	binary.BigEndian.PutUint16(asked, id)
	if stream {
		err = writeDNS(conn, asked)
	} else {
		_, err = conn.Write(asked)
	}
	if err != nil {
		return nil, err
	}
	buf := make([]byte, maxDatagram)
	for {
		var reply []byte
		if stream {
			reply, err = readDNS(conn)
		} else {
			var n int
			n, err = conn.Read(buf)
			reply = buf[:n]
		}
		if err != nil {
			return nil, err
		}
		if answers(reply, id, q) {
			copy(reply, query[:2])
			return reply, nil
		}
		if stream {
			return nil, io.ErrUnexpectedEOF
		}
	}
}

// answers reports whether a message is the answer to a question.
func answers(reply []byte, id uint16, q dnsmessage.Question) bool {
	var p dnsmessage.Parser
	h, err := p.Start(reply)
	if err != nil || !h.Response || h.ID != id {
		return false
	}
	got, err := p.Question()
	if err == dnsmessage.ErrSectionDone {
		return h.RCode != dnsmessage.RCodeSuccess // who cannot read a question may leave it out
	}
	return err == nil && got.Type == q.Type && got.Class == q.Class && strings.EqualFold(got.Name.String(), q.Name.String())
}
