package fusefs

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// offered are the INIT flags whose rules this client keeps. Not offered, since
// nothing here acts on them: splicing, export of handles, ACL checks, security
// contexts, supplementary groups, DAX by inode, passthrough,
// expire-only, resend and id-mapped mounts, writeback, and data that stays until
// a notification comes.
const offered = fuse.FUSE_ASYNC_READ | fuse.FUSE_POSIX_LOCKS | fuse.FUSE_ATOMIC_O_TRUNC |
	fuse.FUSE_BIG_WRITES | fuse.FUSE_DONT_MASK | fuse.FUSE_FLOCK_LOCKS |
	fuse.FUSE_HAS_IOCTL_DIR | fuse.FUSE_DO_READDIRPLUS | fuse.FUSE_READDIRPLUS_AUTO |
	fuse.FUSE_ASYNC_DIO | fuse.FUSE_AUTO_INVAL_DATA | fuse.FUSE_NO_OPEN_SUPPORT | fuse.FUSE_PARALLEL_DIROPS |
	fuse.FUSE_HANDLE_KILLPRIV | fuse.FUSE_MAX_PAGES | fuse.FUSE_CACHE_SYMLINKS |
	fuse.FUSE_NO_OPENDIR_SUPPORT | fuse.FUSE_HANDLE_KILLPRIV_V2 |
	fuse.FUSE_SETXATTR_EXT | fuse.FUSE_SUBMOUNTS | fuse.FUSE_INIT_EXT

// oldestMinor is the oldest protocol that is spoken: 7.12 of 2009, whose
// structures are still those of today up to reserved fields.
const oldestMinor = 12

// Limits of one request, in pages of 4096 bytes: what holds without
// FUSE_MAX_PAGES, and what Linux and virtiofsd stop at with it.
const (
	pageSize        = 4096
	defaultMaxPages = 32
	maxMaxPages     = 256
)

// session is what was negotiated. It does not change.
type session struct {
	minor     uint32
	flags     uint64 // offered and granted
	submounts bool   // the server may mark them
	maxPages  int
	maxWrite  int // bytes of data in one WRITE
	maxRead   int // bytes of data in one READ
	readahead uint32
	timeGran  uint32 // nanoseconds
}

func (s *session) has(flag uint64) bool { return s.flags&flag != 0 }

// negotiate sends INIT.
func (f *FS) negotiate() error {
	offer := uint64(offered)
	if w, ok := f.t.(fuse.Windowed); ok {
		if f.window.mem = w.Window(); f.window.mem != nil {
			offer |= fuse.FUSE_MAP_ALIGNMENT
		}
	}
	offer &^= f.opts.Without
	in := fuse.InitIn{
		Major: fuse.FUSE_KERNEL_VERSION, Minor: fuse.FUSE_KERNEL_MINOR_VERSION,
		MaxReadahead: f.opts.MaxReadahead,
		Flags:        uint32(offer), Flags2: uint32(offer >> 32),
	}
	r := f.request(fuse.FUSE_INIT, 0)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	n, err := f.exchange(r, nil, nil, fuse.InitOutSize, 8)
	if err != nil {
		return fmt.Errorf("%s: FUSE INIT: %w", f.t.Name(), err)
	}
	// What a short reply lacks is zero.
	body := r.outStore[fuse.OutHeaderSize:][:fuse.InitOutSize]
	clear(body[n:])
	var out fuse.InitOut
	if err := out.Decode(body); err != nil {
		return fmt.Errorf("%s: FUSE INIT reply: %w", f.t.Name(), err)
	}
	return f.accept(&out, n, offer)
}

// accept takes the first n bytes of the server's answer to offer.
func (f *FS) accept(out *fuse.InitOut, n int, offer uint64) error {
	if out.Major != fuse.FUSE_KERNEL_VERSION {
		return fmt.Errorf("%s: FUSE INIT reply: major %d, want 7: %w",
			f.t.Name(), out.Major, syscall.EPROTONOSUPPORT)
	}
	if out.Minor < oldestMinor {
		return fmt.Errorf("%s: FUSE INIT reply: minor %d, want %d or later: use a newer server: %w",
			f.t.Name(), out.Minor, oldestMinor, syscall.EPROTONOSUPPORT)
	}
	if n < fuse.FUSE_COMPAT_22_INIT_OUT_SIZE {
		return fmt.Errorf("%s: FUSE INIT reply: %d bytes, want %d or more for 7.%d: %w",
			f.t.Name(), n, fuse.FUSE_COMPAT_22_INIT_OUT_SIZE, out.Minor, syscall.EPROTO)
	}
	granted := uint64(out.Flags)
	if granted&fuse.FUSE_INIT_EXT != 0 {
		granted |= uint64(out.Flags2) << 32
	}
	s := &f.session
	s.minor = min(out.Minor, fuse.FUSE_KERNEL_MINOR_VERSION)
	s.flags = offer & granted
	// This flag tells only the server something, and virtiofsd does not grant
	// it. What is a field for marks now was padding before.
	s.submounts = offer&fuse.FUSE_SUBMOUNTS != 0 && s.minor >= 32
	s.readahead = min(out.MaxReadahead, f.opts.MaxReadahead)
	s.timeGran = min(max(out.TimeGran, 1), 1e9)
	s.maxPages = defaultMaxPages
	if s.has(fuse.FUSE_MAX_PAGES) {
		s.maxPages = min(max(int(out.MaxPages), 1), maxMaxPages)
	}
	s.maxRead = s.maxPages * pageSize
	s.maxWrite = min(max(int(min(out.MaxWrite, maxMaxPages*pageSize)), pageSize), s.maxRead)
	if !s.has(fuse.FUSE_BIG_WRITES) {
		s.maxWrite = pageSize
	}
	if s.has(fuse.FUSE_MAP_ALIGNMENT) {
		if out.MapAlignment > maxMapAlignment {
			return fmt.Errorf("%s: FUSE INIT reply: map_alignment 2^%d, want 2^%d at most: %w",
				f.t.Name(), out.MapAlignment, maxMapAlignment, syscall.EPROTO)
		}
		f.window.open(1 << max(out.MapAlignment, 12))
	}
	return nil
}

// Negotiated tells in one line what was agreed with the server.
func (f *FS) Negotiated() string {
	s := &f.session
	var names []string
	for bit := range 64 {
		if s.flags&(1<<bit) != 0 {
			names = append(names, strings.ToLower(fuse.InitFlagName(bit)))
		}
	}
	if len(names) == 0 {
		names = append(names, "none")
	}
	return fmt.Sprintf("FUSE 7.%d, flags %s, max write %d, max pages %d, readahead %d",
		s.minor, strings.Join(names, ","), s.maxWrite, s.maxPages, s.readahead)
}
