// Package socket is what the calls on sockets stand on: as small an interface as
// fs.File is for files. Who makes sockets of a family (a TCP/IP stack, unixsocket)
// implements it; package syscalls gives them descriptors, waits, and decodes what
// programs pass.
//
// Numbers, options, flags and addresses (struct sockaddr with the family in front)
// are Linux's on amd64. Errors are syscall.Errno. No method blocks: what would is
// EAGAIN, and the socket's Waiters are woken when to ask again.
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

// Socket is an open socket: what File needs to make a file of it. Its methods may be
// called from many goroutines, but none after Release.
//
// A call that answers EAGAIN is to be tried again when a Waiter of Watch is woken with
// PollIn (Accept, Recv) or PollOut (Connect, Send). Poll need not say so: that a
// datagram socket can send does not mean that whoever it sends to has room.
type Socket interface {
	fs.NotifyFile
	// Release closes it, once; SO_LINGER and what was sent before are its affair.
	Release()

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
	// or gives what it can at once; EAGAIN: nothing. File adds up MSG_WAITALL and
	// what a Send leaves, and sees to MSG_DONTWAIT and MSG_NOSIGNAL.
	Send(m *Message) (int, error)
	Recv(m *Message) (int, error)

	// Option stores the value of an option in dst, no more than fits, and returns
	// how much it stored. ENOPROTOOPT: there is none such. Of SOL_SOCKET the
	// following are File's: SO_RCVTIMEO and SO_SNDTIMEO of both kinds; SO_TYPE,
	// SO_DOMAIN, SO_PROTOCOL where the socket answers ENOPROTOOPT.
	Option(level, name int, dst []byte) (int, error)
	SetOption(level, name int, value []byte) error
}

// Optional methods of a Socket.
type (
	// Numbered is told the number of its inode before anything else: what
	// /proc/net shows.
	Numbered interface{ SetInode(ino uint64) }

	// Waiting is a Socket for which Poll does not tell all (see Socket). CanSend
	// tells whether Send, where it last answered EAGAIN, is worth another try.
	Waiting interface{ CanSend() bool }

	// Collector is told when a descriptor of the file is no more: who keeps open files
	// in queues looks whether somebody else has them.
	Collector interface{ Collect() }

	// A Socket may be an fs.IoctlFile, for SIOC requests: in and out are then what
	// they take and give, 40 bytes of struct ifreq or arpreq's 68; of SIOCGIFCONF out
	// is the room for the array itself. It may be an fs.ReadableFile, for FIONREAD.
)

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
	// Rights are open files that go with the message (SCM_RIGHTS): with the first
	// byte of a stream. Send takes them over unless it returns an error, Recv gives
	// them to its caller.
	Rights []Right
	// Creds are of SCM_CREDENTIALS; nil: none were given or asked for.
	Creds *Creds
}

// Size is how many bytes the buffers have room for.
func (m *Message) Size() (n int) {
	for _, b := range m.Buffers {
		n += len(b)
	}
	return n
}

// Right is a reference to an open file on its way.
type Right interface {
	// Ref adds a reference for the same file, Release gives one back.
	Ref()
	Release()
	// Socket is the file's, if it is one of a socket; else nil.
	Socket() Socket
	// Refs is how many references there are to the file, those of descriptors and
	// calls included.
	Refs() int
}

// Creds is struct ucred.
type Creds struct{ Pid, Uid, Gid uint32 }
