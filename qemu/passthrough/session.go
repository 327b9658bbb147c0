package passthrough

import (
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// granted are the INIT flags whose rules this server keeps. Not granted:
// DONT_MASK, so that the client masks modes, whose umask a default ACL would
// have to overrule; HANDLE_KILLPRIV, as the guest's user is the superuser, or
// the client takes set-id bits off by itself; WRITEBACK_CACHE, NO_OPEN_SUPPORT,
// CACHE_SYMLINKS, as the host changes files, too.
const granted = fuse.FUSE_ASYNC_READ | fuse.FUSE_POSIX_LOCKS | fuse.FUSE_FLOCK_LOCKS | fuse.FUSE_ATOMIC_O_TRUNC |
	fuse.FUSE_BIG_WRITES | fuse.FUSE_DO_READDIRPLUS | fuse.FUSE_READDIRPLUS_AUTO | fuse.FUSE_ASYNC_DIO |
	fuse.FUSE_AUTO_INVAL_DATA | fuse.FUSE_PARALLEL_DIROPS | fuse.FUSE_MAX_PAGES | fuse.FUSE_SUBMOUNTS |
	fuse.FUSE_SETXATTR_EXT | fuse.FUSE_INIT_EXT

// oldestMinor is the protocol from which on structures have today's sizes.
const oldestMinor = 23

// maxBackground is how many requests clients are told to have under way that
// nobody waits for.
const maxBackground = 64

// init starts a session, with nothing left of one before it.
func (s *Server) init(r *request) syscall.Errno {
	body := make([]byte, max(fuse.InitInSize, len(r.body)))
	copy(body, r.body) // that of an older client is shorter
	var in fuse.InitIn
	_ = in.Decode(body)
	out := fuse.InitOut{Major: fuse.FUSE_KERNEL_VERSION, Minor: fuse.FUSE_KERNEL_MINOR_VERSION}
	if in.Major > fuse.FUSE_KERNEL_VERSION {
		r.reply = out.AppendTo(r.reply) // and the client starts again with this one
		return 0
	}
	if in.Major < fuse.FUSE_KERNEL_VERSION || in.Minor < oldestMinor {
		return syscall.EPROTO
	}
	s.waits.cancelAll()
	s.clear()
	offered := uint64(in.Flags)
	if in.Flags&fuse.FUSE_INIT_EXT != 0 {
		offered |= uint64(in.Flags2) << 32
	}
	flags := offered & granted
	s.flags.Store(flags)
	s.ready.Store(true)
	out.Minor = min(in.Minor, out.Minor)
	out.MaxReadahead = in.MaxReadahead
	out.Flags, out.Flags2 = uint32(flags), uint32(flags>>32)
	out.MaxBackground, out.CongestionThreshold = maxBackground, maxBackground*3/4
	out.MaxWrite, out.MaxPages, out.TimeGran = maxWrite, maxWrite/4096, 1
	r.reply = out.AppendTo(r.reply)
	return 0
}

// destroy ends a session.
func (s *Server) destroy(*request) syscall.Errno {
	s.ready.Store(false)
	s.waits.cancelAll()
	s.clear()
	return 0
}

// interrupt ends the wait of another request. Nothing else can be interrupted.
func (s *Server) interrupt(r *request) syscall.Errno {
	var in fuse.InterruptIn
	_ = in.Decode(r.body)
	s.waits.cancel(in.Unique)
	return 0
}

func (s *Server) forget(r *request) syscall.Errno {
	var in fuse.ForgetIn
	_ = in.Decode(r.body)
	s.forgetNode(r.header.Nodeid, in.Nlookup)
	return 0
}

func (s *Server) batchForget(r *request) syscall.Errno {
	var in fuse.BatchForgetIn
	_ = in.Decode(r.body)
	b := r.body[fuse.BatchForgetInSize:]
	for range in.Count {
		var one fuse.ForgetOne
		if one.Decode(b) != nil {
			return syscall.EINVAL
		}
		s.forgetNode(one.Nodeid, one.Nlookup)
		b = b[fuse.ForgetOneSize:]
	}
	return 0
}
