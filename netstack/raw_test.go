package netstack

import (
	"syscall"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"

	"github.com/yolkos/yolk/fs/socket"
)

// TestPing: echoes by a datagram socket of ICMP and by a raw one, which does not get
// the types that it filters.
func TestPing(t *testing.T) {
	s := newStack(t)
	to := v4(0, 127, 0, 0, 1)
	request := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1, 'h', 'i'}
	sum := ^checksum.Checksum(request, 0)
	request[2], request[3] = byte(sum>>8), byte(sum)
	for _, typ := range []int{syscall.SOCK_DGRAM, syscall.SOCK_RAW} {
		f := s.openSocket(t, syscall.AF_INET, typ, syscall.IPPROTO_ICMP)
		header := 0
		if typ == syscall.SOCK_RAW {
			header = 20
			if err := f.SetOption(solRaw, icmpFilter, []byte{0, 1, 0, 0}); err != nil { // no requests
				t.Fatal(err)
			}
		}
		if _, err := f.Transmit(&socket.Message{Buffers: [][]byte{request}, Addr: to}, nil); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		m := socket.Message{Buffers: [][]byte{b}}
		n, err := f.Receive(&m, nil)
		if err != nil || n != header+len(request) || b[header] != 0 || string(b[header+8:n]) != "hi" {
			t.Errorf("type %d: %x, %v", typ, b[:max(n, 0)], err)
		}
	}
}
