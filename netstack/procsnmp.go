package netstack

import (
	"fmt"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"

	"github.com/yolkos/yolk/fs/procfs"
)

// procSNMP is snmp of /proc/net: of each protocol a line of names, and one of counters.
// Who reads it takes a protocol that is missing for one that the system does not have.
func (s *Stack) procSNMP(b []byte) []byte {
	st := s.Stats()
	ip, t, u := &st.IP, &st.TCP, &st.UDP
	b = append(b, procfs.SNMPIP...)
	b = fmt.Appendf(b, "Ip: 2 %d %d %d %d 0 0 0 %d %d %d 0 0 0 0 0 0 0 0\n", defaultTTL, ip.PacketsReceived.Value(), ip.MalformedPacketsReceived.Value(),
		ip.InvalidDestinationAddressesReceived.Value(), ip.PacketsDelivered.Value(), ip.PacketsSent.Value(), ip.OutgoingPacketErrors.Value())
	in, out := &st.ICMP.V4.PacketsReceived, &st.ICMP.V4.PacketsSent
	b = append(b, procfs.SNMPICMP...)
	b = append(b, "Icmp:"...)
	b = appendICMP(b, &in.ICMPv4PacketStats, in.Invalid.Value(), " 0") // no checksum is told apart
	b = appendICMP(b, &out.ICMPv4PacketStats, out.Dropped.Value(), "")
	b = append(b, "\n"+procfs.SNMPTCP...)
	b = fmt.Appendf(b, "Tcp: 1 200 120000 -1 %d %d %d %d %d %d %d %d %d %d %d\n", t.ActiveConnectionOpenings.Value(), t.PassiveConnectionOpenings.Value(),
		t.FailedConnectionAttempts.Value(), t.EstablishedResets.Value(), t.CurrentEstablished.Value(), t.ValidSegmentsReceived.Value(), t.SegmentsSent.Value(),
		t.Retransmits.Value(), t.InvalidSegmentsReceived.Value(), t.ResetsSent.Value(), t.ChecksumErrors.Value())
	b = append(b, procfs.SNMPUDP...)
	b = fmt.Appendf(b, "Udp: %d %d %d %d %d 0 %d 0 0\n", u.PacketsReceived.Value(), u.UnknownPortErrors.Value(), u.MalformedPacketsReceived.Value(),
		u.PacketsSent.Value(), u.ReceiveBufferErrors.Value(), u.ChecksumErrors.Value())
	return append(b, procfs.SNMPUDPLite+"UdpLite: 0 0 0 0 0 0 0 0 0\n"...)
}

// appendICMP adds the counters of one direction: messages, errors, what comes between
// them and the kinds, and those, of which masks of addresses are none.
func appendICMP(b []byte, p *tcpip.ICMPv4PacketStats, errors uint64, between string) []byte {
	kinds := []*tcpip.StatCounter{
		p.DstUnreachable, p.TimeExceeded, p.ParamProblem, p.SrcQuench, p.Redirect, p.EchoRequest, p.EchoReply, p.Timestamp, p.TimestampReply,
	}
	all := errors + p.InfoRequest.Value() + p.InfoReply.Value()
	for _, k := range kinds {
		all += k.Value()
	}
	b = fmt.Appendf(b, " %d %d%s", all, errors, between)
	for _, k := range kinds {
		b = fmt.Appendf(b, " %d", k.Value())
	}
	return append(b, " 0 0"...)
}

// procSNMP6 is snmp6 of /proc/net: a counter of IPv6 a line. Those of UDP count both families,
// and stand in snmp.
func (s *Stack) procSNMP6(b []byte) []byte {
	line := func(name string, v ...*tcpip.StatCounter) {
		sum := uint64(0)
		for _, c := range v {
			sum += c.Value()
		}
		b = fmt.Appendf(b, "%-32s\t%d\n", name, sum)
	}
	var received, malformed, strays, delivered, sent, failed []*tcpip.StatCounter
	for _, i := range s.NICInfo() {
		st, ok := i.NetworkStats[ipv6.ProtocolNumber].(*ipv6.Stats)
		if !ok {
			continue
		}
		received = append(received, st.IP.PacketsReceived)
		malformed = append(malformed, st.IP.MalformedPacketsReceived)
		strays = append(strays, st.IP.InvalidDestinationAddressesReceived)
		delivered = append(delivered, st.IP.PacketsDelivered)
		sent = append(sent, st.IP.PacketsSent)
		failed = append(failed, st.IP.OutgoingPacketErrors)
	}
	line("Ip6InReceives", received...)
	line("Ip6InHdrErrors", malformed...)
	line("Ip6InAddrErrors", strays...)
	line("Ip6InDelivers", delivered...)
	line("Ip6OutForwDatagrams")
	line("Ip6OutRequests", sent...)
	line("Ip6OutDiscards", failed...)
	st := s.Stats()
	in, out := &st.ICMP.V6.PacketsReceived, &st.ICMP.V6.PacketsSent
	line("Icmp6InMsgs", append(icmp6Counters(&in.ICMPv6PacketStats), in.Invalid)...)
	line("Icmp6InErrors", in.Invalid)
	line("Icmp6OutMsgs", icmp6Counters(&out.ICMPv6PacketStats)...)
	line("Icmp6OutErrors", out.Dropped)
	for k, c := range icmp6Counters(&in.ICMPv6PacketStats) {
		line("Icmp6In"+icmp6Kinds[k], c)
	}
	for k, c := range icmp6Counters(&out.ICMPv6PacketStats) {
		line("Icmp6Out"+icmp6Kinds[k], c)
	}
	return b
}

// icmp6Kinds are the names of icmp6Counters in snmp6.
var icmp6Kinds = [...]string{
	"DestUnreachs", "PktTooBigs", "TimeExcds", "ParmProblems", "Echos", "EchoReplies", "GroupMembQueries", "GroupMembResponses",
	"GroupMembReductions", "RouterSolicits", "RouterAdvertisements", "NeighborSolicits", "NeighborAdvertisements", "Redirects", "MLDv2Reports",
}

func icmp6Counters(p *tcpip.ICMPv6PacketStats) []*tcpip.StatCounter {
	return []*tcpip.StatCounter{
		p.DstUnreachable, p.PacketTooBig, p.TimeExceeded, p.ParamProblem, p.EchoRequest, p.EchoReply, p.MulticastListenerQuery, p.MulticastListenerReport,
		p.MulticastListenerDone, p.RouterSolicit, p.RouterAdvert, p.NeighborSolicit, p.NeighborAdvert, p.RedirectMsg, p.MulticastListenerReportV2,
	}
}
