package procfs

import "github.com/yolkos/yolk/fs/synth"

// networkFiles adds net to a directory of a process: the files of a system that
// has no network interface and no socket of the Internet protocols.
func (f *FS) networkFiles(process *synth.Dir) {
	const sockets = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	const sockets6 = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	for name, text := range map[string]string{
		"arp": "IP address       HW type     Flags       HW address            Mask     Device\n",
		"dev": "Inter-|   Receive                                                |  Transmit\n" +
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
		"if_inet6":   "",
		"ipv6_route": "",
		"netstat":    "",
		"raw":        sockets + " ref pointer drops\n",
		"raw6":       sockets6 + " ref pointer drops\n",
		"route":      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n",
		"snmp":       "",
		"snmp6":      "",
		"sockstat":   "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
		"sockstat6":  "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n",
		"tcp":        sockets + "                                                     \n",
		"tcp6":       sockets6 + "\n",
		"udp":        sockets + " ref pointer drops             \n",
		"udp6":       sockets6 + " ref pointer drops\n",
		"unix":       "Num       RefCount Protocol Flags    Type St Inode Path\n",
	} {
		process.Add("net/"+name, f.NewText(word(text)))
	}
}
