package netstack

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs"
)

// Of struct sock_extended_err (linux/errqueue.h).
const (
	originZeroCopy = 5 // SO_EE_ORIGIN_ZEROCOPY
	codeCopied     = 1 // SO_EE_CODE_ZEROCOPY_COPIED
)

// zeroCopied is the number of a message of MSG_ZEROCOPY, whose memory is the program's
// again. It implements tcpip.SockErrorCause.
type zeroCopied uint32

func (zeroCopied) Origin() tcpip.SockErrOrigin { return originZeroCopy }
func (zeroCopied) Type() uint8                 { return 0 }
func (zeroCopied) Code() uint8                 { return codeCopied }
func (n zeroCopied) Info() uint32              { return uint32(n) }

// copied tells a program that has asked for it (SO_ZEROCOPY) that the memory of its last
// message of MSG_ZEROCOPY is its own again: at once, for the stack has copied it, which the
// notification says, as Linux's does where the device cannot do better.
func (k *sock) copied() {
	if on, _ := k.kept(syscall.SOL_SOCKET, soZeroCopy); on == 0 {
		return
	}
	n := zeroCopied(k.settings.copies.Add(1) - 1)
	k.ep.SocketOptions().QueueErr(&tcpip.SockError{Cause: n})
	k.queue.Wake(fs.PollErr)
}
