// Package socket is what the calls on sockets stand on: as small an interface as
// fs.File is for files. Who makes sockets of a family (a TCP/IP stack, unixsocket)
// implements it; package syscalls gives them descriptors, waits, and decodes what
// programs pass.
//
// Numbers, options, flags and addresses (struct sockaddr with the family in front)
// are Linux's on amd64. Errors are syscall.Errno. No method blocks: what would is
// EAGAIN, and Poll and Watch tell when to ask again.
package socket

import "github.com/yolkos/yolk/fs"

// Family makes the sockets of an address family (AF_INET, ...).
type Family interface {
	// Socket makes one of a type (SOCK_STREAM, ..., without flags) and protocol.
	// EPROTONOSUPPORT, ESOCKTNOSUPPORT: there is none such.
	Socket(typ, protocol int) (Socket, error)
}

// PairFamily is a Family that has socketpair(2). Else: EOPNOTSUPP.
type PairFamily interface {
	Pair(typ, protocol int) (a, b Socket, err error)
}

// Socket is an open socket. Its Release (as of fs.File) closes it; SO_LINGER and
// what was sent before are its own affair. Reads and writes of the file are Recv
// and Send without flags.
type Socket interface {
	fs.File
	fs.NotifyFile

	// Bind and Listen are those of bind(2) and listen(2).
	Bind(addr []byte) error
	Listen(backlog int) error
	// Accept takes a connection that waits.
	Accept() (Socket, error)
	// Connect begins to connect. EINPROGRESS: PollOut will hold when that has
	// ended, and SO_ERROR say how; EALREADY: it has not yet.
	Connect(addr []byte) error
	// Shutdown is that of shutdown(2): 0 reading, 1 writing, 2 both.
	Shutdown(how int) error

	// Name and Peer return the addresses of getsockname(2) and getpeername(2).
	Name() ([]byte, error)
	Peer() ([]byte, error)

	// Send and Recv are sendmsg(2) and recvmsg(2) without waiting. A stream takes
	// or gives what it can at once; EAGAIN: nothing.
	Send(m *Message) (int, error)
	Recv(m *Message) (int, error)

	// Option stores the value of an option in dst, no more than fits, and returns
	// how much it stored. ENOPROTOOPT: there is none such.
	Option(level, name int, dst []byte) (int, error)
	SetOption(level, name int, value []byte) error
}

// Message is struct msghdr. What a call has filled in is valid until the next call
// with the same Message.
type Message struct {
	Buffers [][]byte
	Flags   int // of MSG_; Recv leaves those of msg_flags

	// Addr is to whom it is sent, nil: to the peer; Recv sets it to from whom it
	// came, nil: a stream, or nobody. Its capacity may be used.
	Addr []byte
	// Control is ancillary data without rights and credentials, of Linux's layout;
	// Recv appends up to its capacity and sets MSG_CTRUNC for what does not fit.
	Control []byte
	// Rights are open files that go with the message (SCM_RIGHTS); what is not
	// taken over is released by who finds it last.
	Rights []Right
	// Creds are of SCM_CREDENTIALS; nil: none were given or asked for.
	Creds *Creds
}

// Right is a reference to an open file on its way.
type Right interface{ Release() }

// Creds is struct ucred.
type Creds struct{ Pid, Uid, Gid uint32 }
