package syscalls

import (
	"encoding/binary"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// SocketMessage is struct msghdr.
type SocketMessage struct {
	Buffers [][]byte
	Addr    []byte // nil: none. Recvmsg sets it to all of the sender's
	Control []byte // Recvmsg fills it, and leaves its length
	Flags   int    // Recvmsg leaves msg_flags
}

// Flags of calls that are none of the family's.
const (
	msgWaitForOne   = 0x10000 // MSG_WAITFORONE
	msgCmsgCloexec  = syscall.MSG_CMSG_CLOEXEC
	msgOfDescriptor = msgWaitForOne | msgCmsgCloexec | syscall.MSG_NOSIGNAL
)

// Sendmsg sends a message. Of a stream, what was sent before an error counts. SIGPIPE
// goes along with EPIPE unless flags has MSG_NOSIGNAL.
func (k *Kernel) Sendmsg(fd int, msg *SocketMessage, flags int) (n int, e syscall.Errno) {
	s, f, e := k.socketAt(fd)
	if e != 0 {
		return -1, e
	}
	defer s.desc.put()
	m := socket.Message{Buffers: msg.Buffers, Addr: msg.Addr, Control: msg.Control}
	if f.Domain == syscall.AF_UNIX && len(msg.Control) > 0 {
		m.Control = nil
		if e := k.unpack(&m, msg.Control); e != 0 {
			return -1, e
		}
	}
	rights := m.Rights
	e = k.borrow(msg.Buffers, false, func(bufs [][]byte) syscall.Errno {
		m.Buffers = bufs
		return s.waits(socket.Out, flags, func(end <-chan struct{}) (err error) {
			m.Flags = flags &^ msgOfDescriptor
			n, err = f.Transmit(&m, end)
			return err
		})
	})
	if e != 0 {
		socket.Drop(rights)
		if e == syscall.EPIPE && flags&syscall.MSG_NOSIGNAL == 0 && s.desc.breaks() {
			k.brokenPipe()
		}
		return -1, e
	}
	s.desc.notifyIO(n, fs.InModify)
	return n, 0
}

// breaks tells if SIGPIPE goes along with EPIPE: of pipes and of streams that are
// sockets.
func (d *desc) breaks() bool {
	f, ok := d.file.(*socket.File)
	return ok && f.Type == syscall.SOCK_STREAM || d.kind == syscall.S_IFIFO
}

// brokenPipe sends the signal that goes along with EPIPE.
func (k *Kernel) brokenPipe() {
	k.send(Siginfo{Signo: syscall.SIGPIPE, Code: SI_USER, Pid: pid}, true)
}

// Recvmsg receives a message.
func (k *Kernel) Recvmsg(fd int, msg *SocketMessage, flags int) (n int, e syscall.Errno) {
	s, f, e := k.socketAt(fd)
	if e != 0 {
		return -1, e
	}
	defer s.desc.put()
	var m socket.Message
	e = k.borrow(msg.Buffers, true, func(bufs [][]byte) syscall.Errno {
		m.Buffers = bufs
		return s.waits(socket.In, flags, func(end <-chan struct{}) (err error) {
			m.Flags = flags &^ msgOfDescriptor
			m.Control = msg.Control[:0:len(msg.Control)]
			n, err = f.Receive(&m, end)
			return err
		})
	})
	if e != 0 {
		return -1, e
	}
	k.pack(msg, &m, flags&msgCmsgCloexec != 0)
	msg.Addr, msg.Flags = m.Addr, m.Flags|flags&msgCmsgCloexec
	s.desc.notifyIO(n, fs.InAccess)
	return n, 0
}

// borrow runs do with buffers in place of bufs where those lie in mappings.
func (k *Kernel) borrow(bufs [][]byte, fills bool, do func(bufs [][]byte) syscall.Errno) syscall.Errno {
	for i, b := range bufs {
		if !k.maps.holds(b) {
			continue
		}
		_, e := k.maps.lend(b, fills, func(p []byte) (int, syscall.Errno) {
			lent := append([][]byte(nil), bufs...)
			lent[i] = p
			return len(p), k.borrow(lent, fills, do)
		})
		return e
	}
	return do(bufs)
}

// Ancillary data of SOL_SOCKET, cmsg(3): a header of 16 bytes, and padding to 8.
const (
	cmsgHeader = 16
	maxRights  = 253 // SCM_MAX_FD
	credsSize  = 12  // bytes of struct ucred
)

func cmsgAlign(n int) int { return (n + 7) &^ 7 }

// unpack puts the rights and credentials of control into m.
func (k *Kernel) unpack(m *socket.Message, control []byte) (e syscall.Errno) {
	defer func() {
		if e != 0 {
			socket.Drop(m.Rights)
			m.Rights = nil
		}
	}()
	for len(control) >= cmsgHeader {
		size := binary.NativeEndian.Uint64(control)
		if size < cmsgHeader || size > uint64(len(control)) {
			return syscall.EINVAL
		}
		level, typ := integer(control[8:]), integer(control[12:])
		data := control[cmsgHeader:size]
		control = control[min(cmsgAlign(int(size)), len(control)):]
		if level != syscall.SOL_SOCKET {
			continue
		}
		switch typ {
		case syscall.SCM_RIGHTS:
			if len(m.Rights)+len(data)/4 > maxRights {
				return syscall.EINVAL
			}
			for ; len(data) >= 4; data = data[4:] {
				d, e := k.table.get(int(integer(data)))
				if e != 0 {
					return e
				}
				m.Rights = append(m.Rights, right{d})
			}
		case syscall.SCM_CREDENTIALS:
			if len(data) != credsSize {
				return syscall.EINVAL
			}
			c := socket.Creds{Pid: uint32(integer(data)), Uid: uint32(integer(data[4:])), Gid: uint32(integer(data[8:]))}
			if e := k.maySay(c); e != 0 {
				return e
			}
			m.Creds = &c
		default:
			return syscall.EINVAL
		}
	}
	return 0
}

// pack puts what came with m into the room for control that msg has, behind what is
// there.
func (k *Kernel) pack(msg *SocketMessage, m *socket.Message, cloexec bool) {
	room := msg.Control
	used := len(m.Control)
	put := func(typ int, data []byte) {
		left := len(room) - used
		if left < cmsgHeader {
			m.Flags |= syscall.MSG_CTRUNC
			return
		}
		size := cmsgHeader + len(data)
		if size > left {
			m.Flags |= syscall.MSG_CTRUNC
			size = left
		}
		b := room[used:]
		binary.NativeEndian.PutUint64(b, uint64(size))
		setInteger(b[8:], syscall.SOL_SOCKET)
		setInteger(b[12:], int32(typ))
		copy(b[cmsgHeader:size], data)
		used = min(used+cmsgAlign(cmsgHeader+len(data)), len(room))
	}
	if m.Creds != nil {
		var b [credsSize]byte
		setInteger(b[:], int32(m.Creds.Pid))
		setInteger(b[4:], int32(m.Creds.Uid))
		setInteger(b[8:], int32(m.Creds.Gid))
		put(syscall.SCM_CREDENTIALS, b[:])
	}
	if len(m.Rights) > 0 {
		fit := max(0, (len(room)-used-cmsgHeader)/4)
		var fds []byte
		for _, r := range m.Rights {
			x, ok := r.(right)
			if !ok || len(fds)/4 >= fit {
				r.Release()
				continue
			}
			fd, e := k.table.add(x.desc, 0, cloexec)
			if e != 0 {
				r.Release()
				fit = 0
				continue
			}
			fds = binary.NativeEndian.AppendUint32(fds, uint32(fd))
		}
		if len(fds) > 0 {
			put(syscall.SCM_RIGHTS, fds)
		}
		if len(fds)/4 < len(m.Rights) {
			m.Flags |= syscall.MSG_CTRUNC
		}
	}
	msg.Control = room[:used]
}

// right is a reference to a description on its way.
type right struct{ desc *desc }

func (r right) Ref()      { r.desc.refs.Add(1) }
func (r right) Release()  { r.desc.put() }
func (r right) Refs() int { return int(r.desc.refs.Load()) }

func (r right) Socket() socket.Socket {
	if f, ok := r.desc.file.(*socket.File); ok {
		return f.Socket
	}
	return nil
}

// maySay tells if the process may pass for c.
func (k *Kernel) maySay(c socket.Creds) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		switch {
		case c.Pid != pid && !p.can(capSysAdmin),
			!has(c.Uid, p.uid.real, p.uid.effective, p.uid.saved) && !p.can(capSetuid),
			!has(c.Gid, p.gid.real, p.gid.effective, p.gid.saved) && !p.can(capSetgid):
			return syscall.EPERM
		case c.Pid != pid:
			return syscall.ESRCH
		}
		return 0
	})
}

// Credentials implements unixsocket.Host.
func (k *Kernel) Credentials() (c socket.Creds) {
	k.ids(func(p *process) syscall.Errno {
		c = socket.Creds{Pid: pid, Uid: p.uid.effective, Gid: p.gid.effective}
		return 0
	})
	return c
}

// MakeSocket implements unixsocket.Host, like FindSocket.
func (k *Kernel) MakeSocket(path string) (*fs.Dentry, error) {
	if e := k.Mknodat(AT_FDCWD, path, syscall.S_IFSOCK|0o777, 0); e != 0 {
		return nil, e
	}
	return k.FindSocket(path)
}

func (k *Kernel) FindSocket(path string) (*fs.Dentry, error) {
	b, e := k.base(AT_FDCWD, path)
	if e != 0 {
		return nil, e
	}
	defer b.done()
	d, err := k.vfs.Walk(b.Base, path, true)
	if err != nil {
		return nil, err
	}
	if d.Kind() != syscall.S_IFSOCK {
		d.Put()
		return nil, syscall.ECONNREFUSED
	}
	return d, nil
}
