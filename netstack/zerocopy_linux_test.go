package netstack

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestZeroCopy: who sends with MSG_ZEROCOPY hears of each message that its memory is free,
// and nobody else does, judged by Linux.
func TestZeroCopy(t *testing.T) {
	for _, domain := range []int{unix.AF_INET, unix.AF_INET6} {
		for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
			judge(t, func(c *calls) {
				fd, others := connects(c, domain, typ, 7000)
				send := func(flags int) {
					b := make([]byte, 100)
					n, e := c.call(unix.SYS_SENDTO, uintptr(fd), c.ptr(b), 100, uintptr(flags), 0, 0)
					c.note("sent %d, %v", n, e)
				}
				heard := func() {
					c.note("poll: %#x", c.poll(fd, 0, 0))
					r := c.recvNow(fd, 100, unix.MSG_ERRQUEUE)
					c.note("heard: %q from %x, flags %#x, %s, %v", r.data, r.addr, r.flags, r.cmsgs(), r.e)
				}
				send(unix.MSG_ZEROCOPY) // not asked for
				heard()
				c.note("set: %v", c.setInt(fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1))
				send(0)
				heard()
				send(unix.MSG_ZEROCOPY)
				heard()
				heard()
				send(unix.MSG_ZEROCOPY)
				heard()
				c.close(fd)
				for _, fd := range others {
					c.close(fd)
				}
			})
		}
	}
}
