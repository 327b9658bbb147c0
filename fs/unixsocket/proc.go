package unixsocket

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// AppendTable appends the contents of /proc/net/unix, proc_net(5).
func (f *Family) AppendTable(b []byte) []byte {
	f.mu.Lock()
	all := make([]*sock, 0, len(f.open))
	for s := range f.open {
		all = append(all, s)
	}
	f.mu.Unlock()
	slices.SortFunc(all, func(a, b *sock) int { return cmp.Compare(a.ino.Load(), b.ino.Load()) })
	b = append(b, "Num       RefCount Protocol Flags    Type St Inode Path\n"...)
	const accepts = 1 << 16 // __SO_ACCEPTCON of linux/net.h
	for _, s := range all {
		flags, state := 0, 1 // SS_UNCONNECTED
		switch {
		case s.state.Load() == listening:
			flags = accepts
		case s.ino.Load() == 0:
			state = 2 // SS_CONNECTING: nobody has accepted it
		case s.state.Load() == connected:
			state = 3
		}
		b = fmt.Appendf(b, "%016x: %08X %08X %08X %04X %02X %5d", 0, 2, 0, flags, s.typ, state, s.ino.Load())
		if n := s.name.Load(); n != nil {
			b = append(b, ' ')
			b = append(b, bytes.ReplaceAll(bytes.TrimRight(n.addr[2:], "\x00"), []byte{0}, []byte{'@'})...)
		}
		b = append(b, '\n')
	}
	return b
}
