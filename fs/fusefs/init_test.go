package fusefs

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func TestInitBad(t *testing.T) {
	full := func(change func(*fuse.InitOut)) func(*call) {
		return func(c *call) {
			o := fuse.InitOut{Major: 7, Minor: 41, MaxWrite: 4096}
			change(&o)
			c.ok(o.AppendTo(nil))
		}
	}
	cut := func(n int) func(*call) {
		return func(c *call) { c.ok((&fuse.InitOut{Major: 7, Minor: 41}).AppendTo(nil)[:n]) }
	}
	for _, c := range []struct {
		name  string
		reply func(*call)
		want  error
		text  string
	}{
		{"major 6", full(func(o *fuse.InitOut) { o.Major = 6 }), syscall.EPROTONOSUPPORT, "major 6"},
		{"major 8", full(func(o *fuse.InitOut) { o.Major = 8 }), syscall.EPROTONOSUPPORT, "major 8"},
		{"major 8 alone", func(c *call) { c.ok([]byte{8, 0, 0, 0, 0, 0, 0, 0}) }, syscall.EPROTONOSUPPORT, "major 8"},
		{"minor 11", full(func(o *fuse.InitOut) { o.Minor = 11 }), syscall.EPROTONOSUPPORT, "minor 11"},
		{"empty", cut(0), syscall.EIO, "INIT"},
		{"7 bytes", cut(7), syscall.EIO, "INIT"},
		{"8 bytes of minor 41", cut(8), syscall.EPROTO, "8 bytes"},
		{"23 bytes", cut(23), syscall.EPROTO, "23 bytes"},
		{"errno", func(c *call) { c.errno(syscall.ENODEV) }, syscall.ENODEV, "INIT"},
		{"unique", func(c *call) {
			c.ok(make([]byte, 64))
			c.setHeader(func(h *fuse.OutHeader) { h.Unique++ })
		}, syscall.EIO, "INIT"},
		{"used length", func(c *call) { c.ok(make([]byte, 64)); c.used = 3 }, syscall.EIO, "INIT"},
		{"dead device", func(c *call) { c.err = errors.New("device needs reset") }, syscall.EIO, "INIT"},
	} {
		s := newScript(0)
		s.ops[fuse.FUSE_INIT] = c.reply
		f, err := Mount(s, Options{Logf: s.logf})
		if f != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), s.Name()) {
			t.Errorf("%s: %v, want %v with %q and the device", c.name, err, c.want, c.text)
		}
	}
}

func TestInitGood(t *testing.T) {
	for _, c := range []struct {
		name      string
		out       fuse.InitOut
		size      int
		opts      Options
		want      string
		maxRead   int
		readahead uint32
	}{
		{"7.12", fuse.InitOut{Minor: 12, MaxReadahead: 4096, MaxWrite: 65536}, 24, Options{},
			"FUSE 7.12, flags none, max write 4096, max pages 32, readahead 4096", 131072, 4096},
		{"7.22 in 24 bytes", fuse.InitOut{Minor: 22, MaxWrite: 65536, Flags: fuse.FUSE_BIG_WRITES}, 24, Options{},
			"FUSE 7.22, flags big_writes, max write 65536, max pages 32, readahead 0", 131072, 0},
		{"7.27", fuse.InitOut{Minor: 27, MaxWrite: 1 << 20, Flags: fuse.FUSE_BIG_WRITES | fuse.FUSE_DONT_MASK}, 64, Options{},
			"FUSE 7.27, flags big_writes,dont_mask, max write 131072, max pages 32, readahead 0", 131072, 0},
		{"7.31", fuse.InitOut{Minor: 31, MaxWrite: 1 << 20, MaxPages: 256, MaxReadahead: 1 << 31, Flags: fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES}, 64, Options{},
			"FUSE 7.31, flags big_writes,max_pages, max write 1048576, max pages 256, readahead 1048576", 1 << 20, 1 << 20},
		{"newer minor", fuse.InitOut{Minor: 99, MaxWrite: 8192, MaxPages: 65535, Flags: fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES}, 64,
			Options{MaxReadahead: 7}, "FUSE 7.41, flags big_writes,max_pages, max write 8192, max pages 256, readahead 0", 1 << 20, 0},
		{"zero limits", fuse.InitOut{Minor: 41, Flags: fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES}, 64, Options{},
			"FUSE 7.41, flags big_writes,max_pages, max write 4096, max pages 1, readahead 0", 4096, 0},
		{"huge limits", fuse.InitOut{Minor: 41, MaxWrite: 1<<32 - 1, MaxPages: 1, Flags: fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES}, 64, Options{},
			"FUSE 7.41, flags big_writes,max_pages, max write 4096, max pages 1, readahead 0", 4096, 0},
		{"not offered", fuse.InitOut{Minor: 41, Flags: 1<<32 - 1, Flags2: 1<<32 - 1, MaxWrite: 4096}, 64,
			Options{Without: ^uint64(fuse.FUSE_DONT_MASK)}, "FUSE 7.41, flags dont_mask, max write 4096, max pages 32, readahead 0", 131072, 0},
	} {
		s := newScript(0)
		c.out.Major = 7
		s.ops[fuse.FUSE_INIT] = func(k *call) {
			var in fuse.InitIn
			if in.Decode(k.args) != nil || in.Major != 7 || in.Minor != 41 || len(k.args) != 64 {
				t.Errorf("INIT %+v", in)
			}
			k.ok(c.out.AppendTo(nil)[:c.size])
		}
		f, err := Mount(s, c.opts)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := f.Negotiated(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if f.session.maxRead != c.maxRead {
			t.Errorf("%s: reads of %d, want %d", c.name, f.session.maxRead, c.maxRead)
		}
	}
}

// TestOffered holds the offer against what the client knows to handle.
func TestOffered(t *testing.T) {
	s := newScript(0)
	var in fuse.InitIn
	s.ops[fuse.FUSE_INIT] = func(c *call) { in.Decode(c.args); c.ok(s.init.AppendTo(nil)) }
	mountScript(t, s, Options{})
	flags := uint64(in.Flags) | uint64(in.Flags2)<<32
	for _, bad := range []uint64{
		fuse.FUSE_WRITEBACK_CACHE, fuse.FUSE_POSIX_ACL, fuse.FUSE_EXPORT_SUPPORT,
		fuse.FUSE_SECURITY_CTX, fuse.FUSE_PASSTHROUGH, fuse.FUSE_INIT_RESERVED, fuse.FUSE_HAS_RESEND,
	} {
		if flags&bad != 0 {
			t.Errorf("flag %#x is offered", bad)
		}
	}
	if flags&fuse.FUSE_INIT_EXT == 0 || flags&fuse.FUSE_MAX_PAGES == 0 {
		t.Errorf("flags %#x offered", flags)
	}
}

// TestMinors: operations that came after the server's version are not sent.
func TestMinors(t *testing.T) {
	for _, a := range actions {
		since, want := uint32(0), error(nil)
		switch a.op {
		case fuse.FUSE_FALLOCATE:
			since, want = 19, syscall.EOPNOTSUPP
		case fuse.FUSE_RENAME2:
			since, want = 23, syscall.EINVAL
		case fuse.FUSE_LSEEK:
			since = 24
		case fuse.FUSE_COPY_FILE_RANGE:
			since, want = 28, syscall.EOPNOTSUPP
		case fuse.FUSE_SYNCFS:
			since = 34
		case fuse.FUSE_TMPFILE:
			since, want = 37, syscall.EOPNOTSUPP
		case fuse.FUSE_STATX:
			since = 39
		default:
			continue
		}
		for _, minor := range []uint32{since - 1, since} {
			s := newScript(grantAll)
			s.init.Minor = minor
			e := newBench(t, s, Options{})
			err := a.run(e)
			if minor < since && (err != want || s.number(a.op) != 0) {
				t.Errorf("%s before 7.%d: %v, sent %d times", fuse.OpName(a.op), since, err, s.number(a.op))
			}
			if minor == since && (err != nil || s.number(a.op) != 1) {
				t.Errorf("%s in 7.%d: %v, sent %d times", fuse.OpName(a.op), since, err, s.number(a.op))
			}
		}
	}
}

// TestBatchForgetMinor: before 7.16 every node is forgotten by itself.
func TestBatchForgetMinor(t *testing.T) {
	for _, minor := range []uint32{15, 16} {
		s := newScript(0)
		s.init.Minor = minor
		f := mountScript(t, s, Options{})
		f.sendForgets([]fuse.ForgetOne{{Nodeid: 2, Nlookup: 1}, {Nodeid: 3, Nlookup: 1}})
		single, batch := s.number(fuse.FUSE_FORGET), s.number(fuse.FUSE_BATCH_FORGET)
		if minor == 15 && (single != 2 || batch != 0) || minor == 16 && (single != 0 || batch != 1) {
			t.Errorf("7.%d: %d FORGET, %d BATCH_FORGET", minor, single, batch)
		}
	}
}

func TestNegotiatedGoFuse(t *testing.T) {
	f, _ := loopback(t, t.TempDir(), serverOptions{maxWrite: 1 << 20, caps: gofuse.CAP_DONT_MASK, locks: true}, Options{})
	want := "FUSE 7.28, flags async_read,posix_locks,big_writes,dont_mask,flock_locks,auto_inval_data,do_readdirplus," +
		"no_open_support,parallel_dirops,max_pages,init_ext, max write 1048576, max pages 256, readahead 1048576"
	if got := f.Negotiated(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCaller(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{Uid: 1, Gid: 2, Pid: 3})
	var h fuse.InHeader
	s.alter = func(c *call) { h = c.InHeader }
	e.file.Getattr(&fs.Attr{})
	if h.Uid != 1 || h.Gid != 2 || h.Pid != 3 {
		t.Errorf("caller %d %d %d, want 1 2 3", h.Uid, h.Gid, h.Pid)
	}
	e.fs.SetCaller(4, 5, 6)
	e.file.Getattr(&fs.Attr{})
	if h.Uid != 4 || h.Gid != 5 || h.Pid != 6 {
		t.Errorf("caller %d %d %d, want 4 5 6", h.Uid, h.Gid, h.Pid)
	}
}
