package netstack

import (
	"encoding/binary"
	"math"
	"reflect"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/yolkos/yolk/fs"
)

// Options of IPPROTO_TCP that package syscall does not have.
const (
	tcpUserTimeout      = 18
	tcpFastOpen         = 23
	tcpTimestamp        = 24
	tcpNotSentLowat     = 25
	tcpFastOpenConnect  = 30
	tcpInq              = 36
	tcpSaveSYN          = 27
	tcpSavedSYN         = 28
	tcpULP              = 31
	tcpFastOpenNoCookie = 34
	tcpThinLinear       = 16
	tcpThinDupack       = 17
	tcpMaxKeepIdle      = 32767 // seconds
	tcpMaxKeepInterval  = 32767
	tcpMaxKeepCount     = 127
	tcpMaxSegmentOption = 32767
	tcpMinWindowClamp   = 1152 // half of SOCK_MIN_RCVBUF
	tcpMaxFastOpen      = 4096 // net.core.somaxconn
)

func (k *sock) tcpOption(name int) (any, error) {
	if v, ok := k.kept(syscall.IPPROTO_TCP, name); ok {
		return v, nil
	}
	o := k.ep.SocketOptions()
	switch name {
	case syscall.TCP_NODELAY:
		return !o.GetDelayOption(), nil
	case syscall.TCP_CORK:
		return o.GetCorkOption(), nil
	case syscall.TCP_QUICKACK:
		return o.GetQuickAck(), nil
	case syscall.TCP_MAXSEG:
		if size, ok := k.segmentSize(); ok {
			return size, nil
		}
		v, err := k.ep.GetSockOptInt(tcpip.MaxSegOption)
		if v == header.TCPMaximumMSS {
			v = header.TCPDefaultMSS // set to 0
		}
		return v, errno(err)
	case syscall.TCP_KEEPIDLE:
		var v tcpip.KeepaliveIdleOption
		err := k.ep.GetSockOpt(&v)
		return int(time.Duration(v) / time.Second), errno(err)
	case syscall.TCP_KEEPINTVL:
		var v tcpip.KeepaliveIntervalOption
		err := k.ep.GetSockOpt(&v)
		return int(time.Duration(v) / time.Second), errno(err)
	case syscall.TCP_KEEPCNT:
		return k.stackInt(tcpip.KeepaliveCountOption)
	case syscall.TCP_SYNCNT:
		return k.stackInt(tcpip.TCPSynCountOption)
	case syscall.TCP_WINDOW_CLAMP:
		return k.settings.get(syscall.IPPROTO_TCP, name, 0), nil
	case tcpUserTimeout:
		var v tcpip.TCPUserTimeoutOption
		err := k.ep.GetSockOpt(&v)
		return int(time.Duration(v) / time.Millisecond), errno(err)
	case syscall.TCP_LINGER2:
		var v tcpip.TCPLingerTimeoutOption
		err := k.ep.GetSockOpt(&v)
		if v < 0 {
			return -1, errno(err)
		}
		return int(time.Duration(v) / time.Second), errno(err)
	case syscall.TCP_DEFER_ACCEPT:
		return k.settings.get(syscall.IPPROTO_TCP, name, 0), nil
	case syscall.TCP_CONGESTION:
		var v tcpip.CongestionControlOption
		if err := k.ep.GetSockOpt(&v); err != nil {
			return nil, errno(err)
		}
		b := make([]byte, 16) // TCP_CA_NAME_MAX
		copy(b, v)
		return b, nil
	case syscall.TCP_INFO:
		return k.tcpInfo()
	case tcpFastOpen:
		return k.settings.get(syscall.IPPROTO_TCP, name, 0), nil
	case tcpThinDupack:
		return 0, nil
	case tcpSavedSYN, tcpULP:
		return []byte{}, nil // there is none
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setTCPOption(name int, value []byte) error {
	o := k.ep.SocketOptions()
	switch {
	case name != syscall.TCP_CONGESTION && name != tcpULP:
	case len(value) == 0:
		return syscall.EINVAL
	case name == tcpULP:
		return syscall.ENOENT // no protocol is known that could lie on TCP
	default:
		v := tcpip.CongestionControlOption(cString(value))
		return errno(k.ep.SetSockOpt(&v))
	}
	v, err := intValue(value)
	if err != nil {
		return err
	}
	if ok, err := k.keep(syscall.IPPROTO_TCP, name, v); ok {
		return err
	}
	between := func(least, most int) error {
		if v < least || v > most {
			return syscall.EINVAL
		}
		return nil
	}
	switch name {
	case syscall.TCP_NODELAY:
		o.SetDelayOption(v == 0)
	case syscall.TCP_CORK:
		o.SetCorkOption(v != 0)
	case syscall.TCP_QUICKACK:
		o.SetQuickAck(v != 0)
	case syscall.TCP_MAXSEG:
		if v == 0 {
			v = header.TCPMaximumMSS // which bounds nothing
		} else if err := between(header.TCPMinimumMSS, tcpMaxSegmentOption); err != nil {
			return err
		}
		return errno(k.ep.SetSockOptInt(tcpip.MaxSegOption, v))
	case syscall.TCP_KEEPIDLE:
		if err := between(1, tcpMaxKeepIdle); err != nil {
			return err
		}
		d := tcpip.KeepaliveIdleOption(time.Duration(v) * time.Second)
		return errno(k.ep.SetSockOpt(&d))
	case syscall.TCP_KEEPINTVL:
		if err := between(1, tcpMaxKeepInterval); err != nil {
			return err
		}
		d := tcpip.KeepaliveIntervalOption(time.Duration(v) * time.Second)
		return errno(k.ep.SetSockOpt(&d))
	case syscall.TCP_KEEPCNT:
		if err := between(1, tcpMaxKeepCount); err != nil {
			return err
		}
		return errno(k.ep.SetSockOptInt(tcpip.KeepaliveCountOption, v))
	case syscall.TCP_SYNCNT:
		if err := between(1, tcpMaxKeepCount); err != nil {
			return err
		}
		return errno(k.ep.SetSockOptInt(tcpip.TCPSynCountOption, v))
	case syscall.TCP_WINDOW_CLAMP:
		switch {
		case v == 0 && k.begun():
			return syscall.EINVAL
		case v != 0:
			v = max(v, tcpMinWindowClamp)
		}
		k.settings.note(syscall.IPPROTO_TCP, name, v)
	case tcpUserTimeout:
		if v < 0 {
			return syscall.EINVAL
		}
		d := tcpip.TCPUserTimeoutOption(time.Duration(v) * time.Millisecond)
		return errno(k.ep.SetSockOpt(&d))
	case syscall.TCP_LINGER2:
		d := tcpip.TCPLingerTimeoutOption(time.Duration(v) * time.Second)
		return errno(k.ep.SetSockOpt(&d))
	case syscall.TCP_DEFER_ACCEPT:
		d := tcpip.TCPDeferAcceptOption(time.Duration(max(v, 0)) * time.Second)
		k.settings.note(syscall.IPPROTO_TCP, name, deferSeconds(v))
		return errno(k.ep.SetSockOpt(&d))
	case tcpFastOpen:
		if v < 0 || k.begun() && !k.listening() {
			return syscall.EINVAL
		}
		k.settings.note(syscall.IPPROTO_TCP, name, min(v, tcpMaxFastOpen)) // connections begin as others do
	case tcpThinDupack:
		return between(0, 1) // and no more, since Linux 4.18
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// failed reports whether a connection was ended by an error that no call has told yet.
func (k *sock) failed() bool {
	ep := k.ep.(*tcp.Endpoint)
	ep.LockUser()
	defer ep.UnlockUser()
	return !reflect.ValueOf(ep).Elem().FieldByName("hardError").IsNil() // the stack has no way to ask, only to take it
}

// streamEvents is what a connection is ready for beyond what the stack says: it does
// not tell an error from an end, nor an end of both directions.
func (k *sock) streamEvents() (now uint32) {
	switch tcp.EndpointState(k.ep.State()) {
	case tcp.StateInitial, tcp.StateBound:
		now |= fs.PollOut | fs.PollWrNorm | fs.PollHup
	case tcp.StateError, tcp.StateClose:
		now |= fs.PollIn | fs.PollOut | fs.PollHup | fs.PollRdHup
		if k.failed() {
			now |= fs.PollErr
		}
	case tcp.StateCloseWait, tcp.StateLastAck, tcp.StateTimeWait, tcp.StateClosing:
		now |= fs.PollRdHup
	}
	if k.shutRead.Load() {
		now |= fs.PollIn | fs.PollRdNorm | fs.PollRdHup
	}
	if now&fs.PollRdHup != 0 && k.settings.shut.Load() {
		now |= fs.PollHup
	}
	return now
}

// Fields of struct tcp_info that are known, by their offsets (linux/tcp.h).
const (
	sizeTCPInfo      = 248
	infoState        = 0
	infoCaState      = 1
	infoOptions      = 5
	infoWscale       = 6
	infoRTO          = 8  // microseconds, as all times before 44
	infoSndMSS       = 16 // bytes
	infoRcvMSS       = 20
	infoPMTU         = 60
	infoRcvSsthresh  = 64
	infoRTT          = 68 // microseconds
	infoRTTVar       = 72
	infoSndSsthresh  = 76
	infoSndCwnd      = 80 // segments
	infoAdvMSS       = 84
	infoReordering   = 88
	infoRcvSpace     = 96
	infoTotalRetrans = 100
	infoPacing       = 104
	infoMaxPacing    = 112
	infoSegsOut      = 136
	infoSegsIn       = 140
)

const reorderingDefault = 3 // net.ipv4.tcp_reordering

// tcpInfo is struct tcp_info. What the stack does not count is 0.
func (k *sock) tcpInfo() (any, error) {
	var o tcpip.TCPInfoOption
	if err := k.ep.GetSockOpt(&o); err != nil {
		return nil, errno(err)
	}
	b := make([]byte, sizeTCPInfo)
	put := func(at int, v uint32) { binary.NativeEndian.PutUint32(b[at:], v) }
	micros := func(at int, d time.Duration) { put(at, uint32(min(d.Microseconds(), math.MaxUint32))) }
	b[infoState] = byte(o.State)
	if k.deaf.Load() || o.State == tcpip.EndpointState(tcp.StateTimeWait) {
		b[infoState] = byte(tcp.StateClose) // what is left of it is the kernel's
	}
	switch o.CcState {
	case tcpip.RTORecovery:
		b[infoCaState] = 4 // TCP_CA_Loss
	case tcpip.FastRecovery, tcpip.SACKRecovery:
		b[infoCaState] = 3 // TCP_CA_Recovery
	case tcpip.Disorder:
		b[infoCaState] = 1 // TCP_CA_Disorder
	}
	micros(infoRTO, o.RTO)
	micros(infoRTT, o.RTT)
	micros(infoRTTVar, o.RTTVar)
	put(infoSndSsthresh, o.SndSsthresh)
	put(infoSndCwnd, o.SndCwnd)
	put(infoReordering, reorderingDefault)
	put(infoRcvSpace, uint32(k.ep.SocketOptions().GetReceiveBufferSize()))
	put(infoRcvSsthresh, uint32(k.ep.SocketOptions().GetReceiveBufferSize()))
	binary.NativeEndian.PutUint64(b[infoPacing:], math.MaxUint64)
	binary.NativeEndian.PutUint64(b[infoMaxPacing:], math.MaxUint64)
	if mtu, err := k.pathMTU(); err == nil {
		put(infoPMTU, uint32(mtu.(int)))
	}
	if size, ok := k.segmentSize(); ok {
		for _, at := range []int{infoSndMSS, infoRcvMSS, infoAdvMSS} {
			put(at, uint32(size))
		}
	}
	if s, ok := k.ep.Stats().(*tcp.Stats); ok {
		put(infoTotalRetrans, uint32(s.SendErrors.Retransmits.Value()))
		put(infoSegsOut, uint32(s.SegmentsSent.Value()))
		put(infoSegsIn, uint32(s.SegmentsReceived.Value()))
	}
	return b, nil
}

// segmentSize is what fits into a segment of a connection, in bytes.
func (k *sock) segmentSize() (size int, ok bool) {
	mtu, err := k.pathMTU()
	if err != nil {
		return 0, false
	}
	headers := header.IPv4MinimumSize + header.TCPMinimumSize
	if a, err := k.ep.GetRemoteAddress(); err == nil && a.Addr.Len() == header.IPv6AddressSize {
		headers = header.IPv6MinimumSize + header.TCPMinimumSize
	}
	return max(mtu.(int)-headers, header.TCPMinimumMSS), true
}
