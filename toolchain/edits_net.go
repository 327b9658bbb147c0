package toolchain

import "slices"

func init() { tables = append(tables, netEdits) }

// netEdits have package net, and what of internal/poll is about sockets, be
// Linux's. Where SocketFunc is set it makes the sockets of the internet: functions
// that do something with one are called by those in _files, which have their names.
var netEdits = slices.Concat(
	take("sockets as Linux has them",
		"internal/poll/sockopt_linux.go",
		"internal/poll/splice_linux.go",
		"net/interface_linux.go",
		"net/mptcpsock_linux.go",
		"net/sock_linux.go",
		"net/sockopt_linux.go",
		"net/sockoptip4_linux.go",
		"net/splice_linux.go",
	),
	widen("what Linux shares with other unix systems",
		"internal/poll/errno_unix.go",
		"internal/poll/fd_writev_unix.go",
		"internal/poll/hook_cloexec.go",
		"internal/poll/iovec_unix.go",
		"internal/poll/sendfile_unix.go",
		"internal/poll/sock_cloexec.go",
		"internal/poll/sockopt.go",
		"internal/poll/sockopt_unix.go",
		"internal/poll/sockoptip.go",
		"internal/poll/writev.go",
		"net/cgo_stub.go",
		"net/error_posix.go",
		"net/error_unix.go",
		"net/fd_posix.go",
		"net/fd_unix.go",
		"net/file_posix.go",
		"net/file_unix.go",
		"net/hook_unix.go",
		"net/iprawsock_posix.go",
		"net/ipsock_posix.go",
		"net/lookup_unix.go",
		"net/port_unix.go",
		"net/rlimit_unix.go",
		"net/sendfile.go",
		"net/sendfile_nonwindows.go",
		"net/sock_cloexec.go",
		"net/sock_posix.go",
		"net/sockaddr_posix.go",
		"net/sockopt_posix.go",
		"net/sockoptip6_posix.go",
		"net/tcpsock_posix.go",
		"net/tcpsockopt_posix.go",
		"net/tcpsockopt_unix.go",
		"net/udpsock_posix.go",
		"net/unixsock_posix.go",
		"net/unixsock_readmsg_cmsg_cloexec.go",
		"net/writev_unix.go",
		"net/internal/socktest/switch_unix.go",
		"net/internal/socktest/sys_cloexec.go",
		"net/internal/socktest/sys_unix.go",
	),
	[]Edit{
		Narrow{"src/net/mptcpsock_stub.go", "sockets are Linux's"},
		Narrow{"src/net/sendfile_stub.go", "sockets are Linux's"},
		Narrow{"src/net/splice_stub.go", "sockets are Linux's"},
		Replace{"src/net/fd_posix.go", "\traddr       Addr\n}", "\traddr       Addr\n\thooked      *hookedSocket\n}", 1, "see above"},
		Replace{"src/net/sock_posix.go", "\ts, err := sysSocket(", "\tif fd, hooked, err := hookSocket(ctx, net, family, sotype, laddr, raddr, ctrlCtxFn); hooked {\n\t\treturn fd, err\n\t}\n\ts, err := sysSocket(", 1, "see above"},
		Replace{"src/net/tcpsock_posix.go", "func (c *TCPConn) readFrom(r io.Reader) (int64, error) {\n", "func (c *TCPConn) readFrom(r io.Reader) (int64, error) {\n\tif c.fd.hooked != nil {\n\t\treturn genericReadFrom(c, r)\n\t}\n", 1, "see above"},
		Replace{"src/net/tcpsock_posix.go", "func (c *TCPConn) writeTo(w io.Writer) (int64, error) {\n", "func (c *TCPConn) writeTo(w io.Writer) (int64, error) {\n\tif c.fd.hooked != nil {\n\t\treturn genericWriteTo(c, w)\n\t}\n", 1, "see above"},
		Replace{"src/net/splice_tamago.go", "var pollSplice = poll.Splice\n", "var pollSplice = unhooked(poll.Splice)\n", 1, "see above"},
		Replace{"src/net/ipsock_posix.go", "\tswitch runtime.GOOS {\n\tcase \"js\", ", "\tif SocketFunc != nil {\n\t\tp.ipv4Enabled, p.ipv6Enabled, p.ipv4MappedIPv6Enabled = true, true, true\n\t\treturn\n\t}\n\tswitch runtime.GOOS {\n\tcase \"js\", ", 1,
			"SocketFunc is not asked for sockets to probe with"},
		Replace{"src/net/ipsock_posix.go", "\tswitch runtime.GOOS {\n\tcase \"aix\", ", "\tif SocketFunc != nil && mode == \"dial\" && raddr.isWildcard() {\n\t\traddr = raddr.toLocal(net)\n\t}\n\tswitch runtime.GOOS {\n\tcase \"aix\", ", 1,
			"dialling the unspecified address means the program itself"},
	},
	hooked("func (fd *netFD) ", "fd_posix.go", "Close", "closeRead", "closeWrite", "Read", "readFrom", "readFromInet4", "readFromInet6",
		"readMsg", "readMsgInet4", "readMsgInet6", "Write", "writeTo", "writeToInet4", "writeToInet6",
		"writeMsg", "writeMsgInet4", "writeMsgInet6", "SetDeadline", "SetReadDeadline", "SetWriteDeadline"),
	hooked("func (fd *netFD) ", "fd_unix.go", "accept", "dup"),
	hooked("func (fd *netFD) ", "writev_unix.go", "writeBuffers"),
	hooked("func ", "sockopt_posix.go", "setReadBuffer", "setWriteBuffer"),
)

// hooked gives functions of package net another name, os in front of their own,
// which those in _files have.
func hooked(before, file string, names ...string) []Edit {
	var edits []Edit
	for _, name := range names {
		edits = append(edits, Replace{"src/net/" + file, before + name + "(", before + "os" + upper(name) + "(", 1, "socket_hook.go has one of that name"})
	}
	return edits
}

// upper is name with a capital letter in front.
func upper(name string) string { return string(name[0]&^0x20) + name[1:] }
