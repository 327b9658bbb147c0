// Package dhcp is a client of the Dynamic Host Configuration Protocol for IPv4 (RFC
// 2131). It knows messages and time, and nothing of how frames are sent.
package dhcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Ports of UDP (RFC 2131 §4.1).
const (
	ServerPort = 67
	ClientPort = 68
)

// Kind is the type of a message (RFC 2132 §9.6).
type Kind byte

// Types of messages.
const (
	Discover Kind = 1 + iota
	Offer
	Request
	Decline
	Ack
	Nak
	Release
	Inform
)

// Options (RFC 2132, and RFC 3442, 3397, 2563).
const (
	optPad            = 0
	optMask           = 1
	optRouter         = 3
	optDNS            = 6
	optHostname       = 12
	optDomain         = 15
	optMTU            = 26
	optRequestAddress = 50
	optLease          = 51
	optOverload       = 52
	optType           = 53
	optServer         = 54
	optParameters     = 55
	optMaxSize        = 57
	optRenewal        = 58
	optRebinding      = 59
	optClientID       = 61
	optSearch         = 119
	optRoutes         = 121
	optEnd            = 255
)

// Positions in a message (RFC 2131 §2), in bytes.
const (
	atXID     = 4
	atFlags   = 10
	atClient  = 12 // ciaddr
	atYours   = 16 // yiaddr
	atMAC     = 28
	atServer  = 44 // sname
	atFile    = 108
	atCookie  = 236
	atOptions = 240

	sizeMin = 300 // some relays want as much
)

const (
	bootRequest   = 1
	bootReply     = 2
	ethernet      = 1
	flagBroadcast = 0x8000
	cookie        = 0x63825363
)

// Message is what is read of a server's message, or said in one to it.
type Message struct {
	Kind     Kind
	XID      uint32
	MAC      [6]byte
	Secs     uint16     // since the client began
	Client   netip.Addr // the address that the client uses (ciaddr)
	Yours    netip.Addr // the address that it gets (yiaddr)
	Server   netip.Addr // option 54
	Request  netip.Addr // option 50
	Hostname string     // the client's, or the one that it is to have

	Mask            int // bits of the subnet; 0: not said
	Routers, DNS    []netip.Addr
	Routes          []Route
	Domain          string
	Search          []string
	MTU             int // bytes; 0: not said
	Lease           time.Duration
	Renewal, Rebind time.Duration // T1 and T2; 0: not said
	infinite        bool
}

// Route is a static route (RFC 3442). The gateway 0.0.0.0: on the link.
type Route struct {
	To      netip.Prefix
	Gateway netip.Addr
}

// Encode makes a client's message.
func (m *Message) Encode() []byte {
	b := make([]byte, atOptions, 512)
	b[0], b[1], b[2] = bootRequest, ethernet, 6
	binary.BigEndian.PutUint32(b[atXID:], m.XID)
	binary.BigEndian.PutUint16(b[8:], m.Secs)
	if m.Client.Is4() && !m.Client.IsUnspecified() {
		copy(b[atClient:], m.Client.AsSlice())
	} else {
		binary.BigEndian.PutUint16(b[atFlags:], flagBroadcast)
	}
	copy(b[atMAC:], m.MAC[:])
	binary.BigEndian.PutUint32(b[atCookie:], cookie)
	option := func(code byte, value ...byte) {
		b = append(append(b, code, byte(len(value))), value...)
	}
	option(optType, byte(m.Kind))
	option(optClientID, append([]byte{ethernet}, m.MAC[:]...)...)
	if m.Request.Is4() {
		option(optRequestAddress, m.Request.AsSlice()...)
	}
	if m.Server.Is4() {
		option(optServer, m.Server.AsSlice()...)
	}
	if name := m.Hostname; name != "" && len(name) < 64 {
		option(optHostname, []byte(name)...)
	}
	if m.Kind == Discover || m.Kind == Request {
		option(optMaxSize, 1500>>8, 1500&0xff)
		option(optParameters, optMask, optRoutes, optRouter, optDNS, optDomain, optSearch, optHostname, optMTU, optLease, optRenewal, optRebinding)
	}
	b = append(b, optEnd)
	for len(b) < sizeMin {
		b = append(b, optPad)
	}
	return b
}

// Decode reads a server's message. What options of it are malformed is left out.
func Decode(b []byte) (*Message, error) {
	if len(b) < atOptions {
		return nil, fmt.Errorf("DHCP message of %d bytes, of which there are %d at least", len(b), atOptions)
	}
	if b[0] != bootReply || b[1] != ethernet || b[2] != 6 {
		return nil, fmt.Errorf("DHCP message with op %d, htype %d, hlen %d: no reply by Ethernet", b[0], b[1], b[2])
	}
	if c := binary.BigEndian.Uint32(b[atCookie:]); c != cookie {
		return nil, fmt.Errorf("DHCP message with the cookie %#x: it has none of DHCP", c)
	}
	m := &Message{
		XID:    binary.BigEndian.Uint32(b[atXID:]),
		MAC:    [6]byte(b[atMAC:]),
		Client: netip.AddrFrom4([4]byte(b[atClient:])),
		Yours:  netip.AddrFrom4([4]byte(b[atYours:])),
	}
	options := map[byte][]byte{}
	collect(options, b[atOptions:])
	if o := options[optOverload]; len(o) == 1 { // RFC 2132 §9.3
		if o[0]&1 != 0 {
			collect(options, b[atFile:atCookie])
		}
		if o[0]&2 != 0 {
			collect(options, b[atServer:atFile])
		}
	}
	kind := options[optType]
	if len(kind) != 1 || Kind(kind[0]) < Discover || Kind(kind[0]) > Inform {
		return nil, errors.New("DHCP message without a type")
	}
	m.Kind = Kind(kind[0])
	m.read(options)
	return m, nil
}

// collect adds what options there are. Those that come several times are one (RFC
// 3396).
func collect(options map[byte][]byte, b []byte) {
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return
		}
		n := int(b[1])
		options[b[0]] = append(options[b[0]], b[2:2+n]...)
		b = b[2+n:]
	}
}

func (m *Message) read(options map[byte][]byte) {
	if o := options[optMask]; len(o) == 4 {
		mask := binary.BigEndian.Uint32(o)
		n := 0
		for mask&(1<<31) != 0 {
			mask <<= 1
			n++
		}
		if mask == 0 {
			m.Mask = n
		}
	}
	if a := addresses(options[optServer]); len(a) == 1 {
		m.Server = a[0]
	}
	m.Routers, m.DNS = addresses(options[optRouter]), addresses(options[optDNS])
	m.Routes = routes(options[optRoutes])
	m.Hostname, m.Domain = name(options[optHostname]), name(options[optDomain])
	m.Search = searchList(options[optSearch])
	if o := options[optMTU]; len(o) == 2 {
		m.MTU = int(binary.BigEndian.Uint16(o))
	}
	seconds := func(code byte) (time.Duration, bool) {
		o := options[code]
		if len(o) != 4 {
			return 0, false
		}
		n := binary.BigEndian.Uint32(o)
		return time.Duration(n) * time.Second, n == 1<<32-1
	}
	m.Lease, m.infinite = seconds(optLease)
	m.Renewal, _ = seconds(optRenewal)
	m.Rebind, _ = seconds(optRebinding)
}

// maxAddresses is how many of a list count.
const maxAddresses = 16

// addresses reads a list of addresses, without those that can be nobody's.
func addresses(b []byte) (list []netip.Addr) {
	for ; len(b) >= 4 && len(list) < maxAddresses; b = b[4:] {
		a := netip.AddrFrom4([4]byte(b))
		if !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			list = append(list, a)
		}
	}
	return list
}

// routes reads classless static routes (RFC 3442).
func routes(b []byte) (list []Route) {
	for len(b) > 0 && len(list) < maxAddresses {
		bits := int(b[0])
		n := (bits + 7) / 8
		if bits > 32 || len(b) < 1+n+4 {
			return list
		}
		var ip [4]byte
		copy(ip[:], b[1:1+n])
		to := netip.PrefixFrom(netip.AddrFrom4(ip), bits).Masked()
		list = append(list, Route{to, netip.AddrFrom4([4]byte(b[1+n:]))})
		b = b[1+n+4:]
	}
	return list
}

// name reads a host or domain name: nothing else may get into the files of /etc.
func name(b []byte) string {
	b = bytes.TrimRight(b, "\x00.")
	if len(b) == 0 || len(b) > 253 {
		return ""
	}
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return ""
		}
	}
	return string(b)
}

// searchList reads names as DNS messages have them, compressed (RFC 3397, RFC 1035
// §4.1.4).
func searchList(b []byte) (list []string) {
	for at := 0; at < len(b) && len(list) < maxAddresses; {
		var labels []string
		jumped, next := false, 0
		for i, hops := at, 0; ; {
			if i >= len(b) || hops > len(b) {
				return list
			}
			n := int(b[i])
			switch {
			case n == 0:
				if !jumped {
					next = i + 1
				}
			case n&0xc0 == 0xc0:
				if i+1 >= len(b) {
					return list
				}
				if !jumped {
					next = i + 2
				}
				jumped = true
				i = n&0x3f<<8 | int(b[i+1])
				hops++
				continue
			case n > 63 || i+1+n > len(b):
				return list
			default:
				labels = append(labels, string(b[i+1:i+1+n]))
				i += 1 + n
				hops++
				continue
			}
			break
		}
		if s := name([]byte(strings.Join(labels, "."))); s != "" {
			list = append(list, s)
		}
		at = next
	}
	return list
}
