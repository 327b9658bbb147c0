package procfs

import (
	"strings"

	"github.com/yolkos/yolk/fs/synth"
)

// networkFile is a file of net that a network stack makes.
type networkFile struct {
	name string
	text func(b []byte) []byte
}

// Network has a file of net of each process be what text appends to b, in place of
// that of a system without a network. It is called before the file system is in use.
func (f *FS) Network(name string, text func(b []byte) []byte) {
	f.network = append(f.network, networkFile{name, text})
}

// networkFiles adds net to a directory of a process: the files of a system that
// has no network interface and no socket of the Internet protocols.
func (f *FS) networkFiles(process *synth.Dir) {
	f.addFixed(process, `net/arp=IP address       HW type     Flags       HW address            Mask     Device
;
net/dev=Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
;
net/icmp=`+Sockets+` ref pointer drops             
;
net/icmp6=`+Sockets6+` ref pointer drops
;
net/if_inet6=;
net/ipv6_route=;
net/netstat=TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPLostRetransmit TCPFastRetrans TCPTimeouts TCPSynRetrans TCPOrigDataSent
TcpExt: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps
IpExt: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
;
net/raw=`+Sockets+` ref pointer drops
;
net/raw6=`+Sockets6+` ref pointer drops
;
net/route=Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT                                                       
;
net/snmp=`+SNMPIP+`Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`+SNMPICMP+`Icmp: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`+SNMPTCP+`Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0
`+SNMPUDP+`Udp: 0 0 0 0 0 0 0 0 0
`+SNMPUDPLite+`UdpLite: 0 0 0 0 0 0 0 0 0
;
net/snmp6=;
net/sockstat=sockets: used 0
TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0
UDP: inuse 0 mem 0
UDPLITE: inuse 0
RAW: inuse 0
FRAG: inuse 0 memory 0
;
net/sockstat6=TCP6: inuse 0
UDP6: inuse 0
UDPLITE6: inuse 0
RAW6: inuse 0
FRAG6: inuse 0 memory 0
;
net/softnet_stat=`+strings.Repeat("00000000 ", 14)+`00000000
;
net/tcp=`+Sockets+`                                                     
;
net/tcp6=`+Sockets6+`
;
net/udp=`+Sockets+` ref pointer drops             
;
net/udp6=`+Sockets6+` ref pointer drops
;
net/udplite=`+Sockets+` ref pointer drops             
;
net/udplite6=`+Sockets6+` ref pointer drops
;
net/unix=Num       RefCount Protocol Flags    Type St Inode Path
;
`)
	for _, n := range f.network {
		process.Add("net/"+n.name, f.NewText(n.text))
	}
}

// The heads of net/tcp and net/udp, and of tcp6 and udp6, where that of udp goes on.
const (
	Sockets  = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	Sockets6 = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)

// The names of the counters of net/snmp, a line for each protocol.
const (
	SNMPIP        = "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
	SNMPICMP      = "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\n"
	SNMPTCP       = "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
	snmpDatagrams = ": InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\n"
	SNMPUDP       = "Udp" + snmpDatagrams
	SNMPUDPLite   = "UdpLite" + snmpDatagrams
)
