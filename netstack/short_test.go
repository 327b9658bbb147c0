package netstack

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// TestShortConnections: many connections, one after the other, neither stall nor fill
// the memory.
func TestShortConnections(t *testing.T) {
	n := 4000
	if s := os.Getenv("SHORT_CONNECTIONS"); s != "" {
		fmt.Sscan(s, &n)
	}
	s, err := New(Options{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Destroy)
	addr := v4(80, 127, 0, 0, 1)
	l := s.listen(t, syscall.AF_INET, addr)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := connect(t, c, addr); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		d, err := accept(l)
		if err != nil {
			t.Fatalf("connection %d: accept: %v", i, err)
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatalf("connection %d: send: %v", i, err)
		}
		b := make([]byte, 16)
		if n, err := d.Read(b); n != 5 || err != nil {
			t.Fatalf("connection %d: receive: %d %v", i, n, err)
		}
		c.Release()
		d.Release()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	var stay tcpip.TCPTimeWaitTimeoutOption
	if err := s.TransportProtocolOption(tcp.ProtocolNumber, &stay); err != nil || stay != 0 {
		t.Errorf("what is left of %d connections stays for %v (%v), of which %d may be there", n, stay, err, s.timeWaitLimit)
	}
	t.Logf("%d connections: %d KiB, %d in the stack", n, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10, len(s.RegisteredEndpoints()))
}
