package fusefs

import (
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestSetattrFields: each change sends its own bits and its own field.
func TestSetattrFields(t *testing.T) {
	const reg = syscall.S_IFREG
	for _, c := range []struct {
		set  fs.SetAttr
		want fuse.SetattrIn
	}{
		{fs.SetAttr{Valid: fs.SetMode, Mode: 0o4751}, fuse.SetattrIn{Valid: fuse.FATTR_MODE, Mode: reg | 0o4751}},
		{fs.SetAttr{Valid: fs.SetUid, Uid: 7}, fuse.SetattrIn{Valid: fuse.FATTR_UID, Uid: 7}},
		{fs.SetAttr{Valid: fs.SetGid, Gid: 8}, fuse.SetattrIn{Valid: fuse.FATTR_GID, Gid: 8}},
		{fs.SetAttr{Valid: fs.SetSize, Size: 1 << 40}, fuse.SetattrIn{Valid: fuse.FATTR_SIZE, Size: 1 << 40}},
		{fs.SetAttr{Valid: fs.SetAtime, Atime: fs.Time{Sec: -5, Nsec: 999999999}},
			fuse.SetattrIn{Valid: fuse.FATTR_ATIME, Atime: math.MaxUint64 - 4, Atimensec: 999999999}},
		{fs.SetAttr{Valid: fs.SetMtime, Mtime: fs.Time{Sec: 5, Nsec: 6}},
			fuse.SetattrIn{Valid: fuse.FATTR_MTIME, Mtime: 5, Mtimensec: 6}},
		{fs.SetAttr{Valid: fs.SetAtimeNow}, fuse.SetattrIn{Valid: fuse.FATTR_ATIME | fuse.FATTR_ATIME_NOW}},
		{fs.SetAttr{Valid: fs.SetMtimeNow}, fuse.SetattrIn{Valid: fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW}},
		{fs.SetAttr{Valid: 0, Mode: 1, Uid: 2, Gid: 3, Size: 4, Atime: fs.Time{Sec: 5}, Mtime: fs.Time{Sec: 6}}, fuse.SetattrIn{}},
		{fs.SetAttr{Valid: fs.SetMode | fs.SetUid | fs.SetGid, Mode: 0o600, Uid: 1, Gid: 2},
			fuse.SetattrIn{Valid: fuse.FATTR_MODE | fuse.FATTR_UID | fuse.FATTR_GID, Mode: reg | 0o600, Uid: 1, Gid: 2}},
	} {
		s := newScript(fuse.FUSE_HANDLE_KILLPRIV)
		e := newBench(t, s, Options{})
		var got fuse.SetattrIn
		s.alter = func(k *call) { got.Decode(k.args) }
		var a fs.Attr
		if err := e.file.Setattr(&c.set, &a); err != nil || a.Size != 5 {
			t.Errorf("%+v: %v, %+v", c.set, err, a)
		}
		if got != c.want {
			t.Errorf("%+v:\n got %+v\nwant %+v", c.set, got, c.want)
		}
	}
	e := newBench(t, newScript(0), Options{})
	for _, bad := range []fs.SetAttr{
		{Valid: fs.SetSize, Size: -1}, {Valid: fs.SetAtime, Atime: fs.Time{Nsec: 1e9}}, {Valid: fs.SetMtime, Mtime: fs.Time{Nsec: 1e9}},
	} {
		if err := e.file.Setattr(&bad, &fs.Attr{}); err != syscall.EINVAL {
			t.Errorf("%+v: %v, want EINVAL", bad, err)
		}
	}
}

func TestSetattrLoopback(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", []byte("hello"))
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	atime, mtime := fs.Time{Sec: 1000000001, Nsec: 123456789}, fs.Time{Sec: 1000000002, Nsec: 987654321}
	var a fs.Attr
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetAtime | fs.SetMtime, Atime: atime, Mtime: mtime}, &a); err != nil {
		t.Fatal(err)
	}
	if a.Atime != atime || a.Mtime != mtime {
		t.Errorf("times %v %v", a.Atime, a.Mtime)
	}
	st, _ := os.Stat(dir + "/f")
	if !st.ModTime().Equal(time.Unix(mtime.Sec, int64(mtime.Nsec))) {
		t.Errorf("on the host: %v", st.ModTime())
	}
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetMode | fs.SetSize, Mode: 0o604, Size: 1 << 33}, &a); err != nil {
		t.Fatal(err)
	}
	if a.Mode != syscall.S_IFREG|0o604 || a.Size != 1<<33 {
		t.Errorf("mode %o, size %d", a.Mode, a.Size)
	}
	if os.Getuid() == 0 {
		if err := n.Setattr(&fs.SetAttr{Valid: fs.SetUid | fs.SetGid, Uid: 12, Gid: 34}, &a); err != nil || a.Uid != 12 || a.Gid != 34 {
			t.Errorf("chown: %d %d, %v", a.Uid, a.Gid, err)
		}
	}
}

// TestKillpriv: who takes set-id bits off, as negotiated.
func TestKillpriv(t *testing.T) {
	const suid = syscall.S_IFREG | 0o6755
	for _, c := range []struct {
		name    string
		granted uint64
		uid     uint32
		do      func(e *bench) error
		valid   uint32 // of the last SETATTR
		mode    uint32
		write   uint32 // flags of the WRITE
	}{
		{"chown", 0, 0, chown, fuse.FATTR_UID | fuse.FATTR_MODE, syscall.S_IFREG | 0o755, 0},
		{"chown, v1", fuse.FUSE_HANDLE_KILLPRIV, 0, chown, fuse.FATTR_UID, 0, 0},
		{"chown, v2", fuse.FUSE_HANDLE_KILLPRIV_V2, 0, chown, fuse.FATTR_UID, 0, 0},
		{"truncate by root", 0, 0, truncate, fuse.FATTR_SIZE | fuse.FATTR_FH, 0, 0},
		{"truncate", 0, 1, truncate, fuse.FATTR_SIZE | fuse.FATTR_FH | fuse.FATTR_MODE, syscall.S_IFREG | 0o755, 0},
		{"truncate, v1", fuse.FUSE_HANDLE_KILLPRIV, 1, truncate, fuse.FATTR_SIZE | fuse.FATTR_FH, 0, 0},
		{"truncate, v2", fuse.FUSE_HANDLE_KILLPRIV_V2, 1, truncate, fuse.FATTR_SIZE | fuse.FATTR_FH | fuse.FATTR_KILL_SUIDGID, 0, 0},
		{"write by root", 0, 0, writeSome, 0, 0, 0},
		{"write by root, v2", fuse.FUSE_HANDLE_KILLPRIV_V2, 0, writeSome, 0, 0, 0},
		{"write", 0, 1, writeSome, fuse.FATTR_MODE, syscall.S_IFREG | 0o755, 0},
		{"write, v1", fuse.FUSE_HANDLE_KILLPRIV, 1, writeSome, 0, 0, 0},
		{"write, v2", fuse.FUSE_HANDLE_KILLPRIV_V2, 1, writeSome, 0, 0, fuse.FUSE_WRITE_KILL_SUIDGID},
	} {
		s := newScript(c.granted)
		s.ops[fuse.FUSE_GETATTR] = func(k *call) {
			a := attrFor(idFile)
			a.Mode = suid
			k.ok((&fuse.AttrOut{Attr: a}).AppendTo(nil))
		}
		e := newBench(t, s, Options{Uid: c.uid})
		var set fuse.SetattrIn
		var w fuse.WriteIn
		s.alter = func(k *call) {
			switch k.Opcode {
			case fuse.FUSE_SETATTR:
				set.Decode(k.args)
			case fuse.FUSE_WRITE:
				w.Decode(k.args)
			}
		}
		if err := c.do(e); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if set.Valid != c.valid || set.Mode != c.mode || w.WriteFlags != c.write {
			t.Errorf("%s: SETATTR valid %#x mode %o, WRITE flags %#x; want %#x, %o, %#x",
				c.name, set.Valid, set.Mode, w.WriteFlags, c.valid, c.mode, c.write)
		}
	}
	for mode, want := range map[uint32]uint32{
		0o106755: 0o100755, 0o106745: 0o102745, 0o102745: 0o102745, 0o100644: 0o100644, 0o046755: 0o046755,
	} {
		if got := killMode(mode); got != want {
			t.Errorf("killMode(%o) = %o, want %o", mode, got, want)
		}
	}
	// Opening with O_TRUNC says it too.
	s := newScript(fuse.FUSE_HANDLE_KILLPRIV_V2 | fuse.FUSE_ATOMIC_O_TRUNC)
	f := mountScript(t, s, Options{Uid: 1})
	var in fuse.OpenIn
	s.alter = func(k *call) {
		if k.Opcode == fuse.FUSE_OPEN {
			in.Decode(k.args)
		}
	}
	if _, err := lookup(t, f.root, "f").Open(os.O_WRONLY | syscall.O_TRUNC); err != nil || in.OpenFlags != fuse.FUSE_OPEN_KILL_SUIDGID {
		t.Errorf("OPEN with O_TRUNC: flags %#x, %v", in.OpenFlags, err)
	}
}

func chown(e *bench) error {
	return e.file.Setattr(&fs.SetAttr{Valid: fs.SetUid, Uid: 5}, &fs.Attr{})
}

func truncate(e *bench) error {
	return e.open.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 1}, &fs.Attr{})
}

func writeSome(e *bench) error {
	_, _, err := e.open.WriteAt([]byte("some"), 0)
	return err
}

// TestUmask: the client applies the umask unless the server does.
func TestUmask(t *testing.T) {
	for _, granted := range []uint64{0, fuse.FUSE_DONT_MASK} {
		s := newScript(granted)
		e := newBench(t, s, Options{})
		got := map[uint32][2]uint32{}
		s.alter = func(c *call) {
			switch c.Opcode {
			case fuse.FUSE_MKNOD:
				var in fuse.MknodIn
				in.Decode(c.args)
				got[c.Opcode] = [2]uint32{in.Mode, in.Umask}
			case fuse.FUSE_MKDIR:
				var in fuse.MkdirIn
				in.Decode(c.args)
				got[c.Opcode] = [2]uint32{in.Mode, in.Umask}
			case fuse.FUSE_CREATE:
				var in fuse.CreateIn
				in.Decode(c.args)
				got[c.Opcode] = [2]uint32{in.Mode, in.Umask}
				if in.Flags != syscall.O_CREAT|syscall.O_EXCL|syscall.O_RDWR {
					t.Errorf("CREATE with flags %#x", in.Flags)
				}
			}
		}
		drop(e.dir.Mknod("p", syscall.S_IFIFO|0o666, 0o027, 0))
		drop(e.dir.Mkdir("d", 0o1777, 0o027))
		entry, file, err := e.dir.Create("f", os.O_RDWR|os.O_EXCL|syscall.O_NOCTTY, 0o666, 0o027)
		if drop(entry, err) != nil {
			t.Fatal(err)
		}
		file.Release()
		want := map[uint32][2]uint32{
			fuse.FUSE_MKNOD: {syscall.S_IFIFO | 0o640, 0o027}, fuse.FUSE_MKDIR: {0o1750, 0o027},
			fuse.FUSE_CREATE: {syscall.S_IFREG | 0o640, 0o027},
		}
		if granted != 0 {
			want = map[uint32][2]uint32{
				fuse.FUSE_MKNOD: {syscall.S_IFIFO | 0o666, 0o027}, fuse.FUSE_MKDIR: {0o1777, 0o027},
				fuse.FUSE_CREATE: {syscall.S_IFREG | 0o666, 0o027},
			}
		}
		for op, w := range want {
			if got[op] != w {
				t.Errorf("granted %#x: %s with mode %o, umask %o; want %o", granted, fuse.OpName(op), got[op][0], got[op][1], w)
			}
		}
	}
}
