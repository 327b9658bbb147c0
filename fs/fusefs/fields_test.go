package fusefs

import (
	"reflect"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// distinct gives every number in v, which must be settable, a value of its own
// between 1000 and 2000.
func distinct(v reflect.Value, seed *uint64) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			distinct(v.Field(i), seed)
		}
	case v.CanUint():
		*seed++
		v.SetUint(1000 + *seed)
	case v.CanInt():
		*seed++
		v.SetInt(int64(1000 + *seed))
	}
}

// TestFields: attributes and statistics keep every field apart.
func TestFields(t *testing.T) {
	var a fuse.Attr
	seed := uint64(0)
	distinct(reflect.ValueOf(&a).Elem(), &seed)
	want := fs.Attr{
		Ino: a.Ino, Mode: a.Mode, Nlink: a.Nlink, Uid: a.Uid, Gid: a.Gid, Rdev: uint64(a.Rdev),
		Size: int64(a.Size), Blocks: int64(a.Blocks), Blksize: a.Blksize,
		Atime: fs.Time{Sec: int64(a.Atime), Nsec: a.Atimensec},
		Mtime: fs.Time{Sec: int64(a.Mtime), Nsec: a.Mtimensec},
		Ctime: fs.Time{Sec: int64(a.Ctime), Nsec: a.Ctimensec},
	}
	if got := attrOf(&a); got != want {
		t.Errorf("attrOf:\n got %+v\nwant %+v", got, want)
	}
	// Before 1970, and with more nanoseconds than there are.
	if got := timeOf(1<<64-2, 705032704); got != (fs.Time{Sec: -2, Nsec: 705032704}) {
		t.Errorf("timeOf = %v", got)
	}
	if got := timeOf(1, 1<<32-1); got != (fs.Time{Sec: 1, Nsec: 999999999}) {
		t.Errorf("timeOf = %v", got)
	}

	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	var st fuse.Kstatfs
	distinct(reflect.ValueOf(&st).Elem(), &seed)
	s.ops[fuse.FUSE_STATFS] = func(c *call) { c.ok((&fuse.StatfsOut{St: st}).AppendTo(nil)) }
	var got fs.Statfs
	if err := e.fs.Statfs(&got); err != nil {
		t.Fatal(err)
	}
	if want := (fs.Statfs{
		Type: fuseSuperMagic, Bsize: st.Bsize, Frsize: st.Frsize, Blocks: st.Blocks, Bfree: st.Bfree,
		Bavail: st.Bavail, Files: st.Files, Ffree: st.Ffree, NameLen: st.Namelen,
	}); got != want {
		t.Errorf("Statfs:\n got %+v\nwant %+v", got, want)
	}

	var x fuse.Statx
	distinct(reflect.ValueOf(&x).Elem(), &seed)
	x.Mode = 0o100644
	x.Mask = basicStats
	s.ops[fuse.FUSE_STATX] = func(c *call) { c.ok((&fuse.StatxOut{Stat: x}).AppendTo(nil)) }
	var sx fs.Statx
	if err := e.file.(fs.StatxNode).Statx(&sx, 0xfff); err != nil {
		t.Fatal(err)
	}
	when := func(t fuse.SxTime) fs.Time { return fs.Time{Sec: t.TvSec, Nsec: t.TvNsec} }
	if want := (fs.Statx{
		Attr: fs.Attr{
			Ino: x.Ino, Mode: uint32(x.Mode), Nlink: x.Nlink, Uid: x.Uid, Gid: x.Gid,
			Rdev: uint64(makedev(x.RdevMajor, x.RdevMinor)), Size: int64(x.Size), Blocks: int64(x.Blocks),
			Blksize: x.Blksize, Atime: when(x.Atime), Mtime: when(x.Mtime), Ctime: when(x.Ctime),
		},
		Mask: x.Mask, Attributes: x.Attributes, AttributesMask: x.AttributesMask, Btime: when(x.Btime),
	}); sx != want {
		t.Errorf("Statx:\n got %+v\nwant %+v", sx, want)
	}
}

// TestGrain: times are sent as coarse as the server keeps them.
func TestGrain(t *testing.T) {
	for gran, want := range map[uint32]uint32{0: 123456789, 1: 123456789, 1000: 123456000, 1e9: 0, 2e9: 0} {
		s := newScript(0)
		s.init.TimeGran = gran
		e := newBench(t, s, Options{})
		var in fuse.SetattrIn
		s.alter = func(c *call) { in.Decode(c.args) }
		now := fs.Time{Sec: 7, Nsec: 123456789}
		if err := e.file.Setattr(&fs.SetAttr{Valid: fs.SetAtime | fs.SetMtime, Atime: now, Mtime: now}, &fs.Attr{}); err != nil {
			t.Fatal(err)
		}
		if in.Atimensec != want || in.Mtimensec != want || in.Atime != 7 {
			t.Errorf("granularity %d: %d, want %d", gran, in.Atimensec, want)
		}
	}
}
