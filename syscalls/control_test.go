package syscalls

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

func TestIoctl(t *testing.T) {
	k := newKernel(t)
	put(t, k, "/f", "hello")
	fd, e := k.Openat(AT_FDCWD, "/f", syscall.O_RDWR, 0)
	ok(t, e)
	ask := func(req uint32, data ...byte) (int32, syscall.Errno) {
		_, e := k.Ioctl(fd, req, 0, data)
		if len(data) < 4 {
			return 0, e
		}
		return integer(data), e
	}
	_, e = k.Seek(fd, 2, SEEK_SET)
	ok(t, e)
	if n, e := ask(fioNread, 9, 9, 9, 9); n != 3 || e != 0 {
		t.Errorf("FIONREAD: %d, %v", n, e)
	}
	if n, e := ask(fiGetBsz, 0, 0, 0, 0); n != 4096 || e != 0 {
		t.Errorf("FIGETBSZ: %d, %v", n, e)
	}
	_, e = ask(fiBmap, 0, 0, 0, 0)
	is(t, "FIBMAP", e, syscall.EINVAL)
	_, e = ask(fioNread, 1, 2, 3)
	is(t, "too little memory", e, syscall.EFAULT)
	_, e = ask(fsGetFlags, 0, 0, 0, 0)
	is(t, "a request that no file knows", e, syscall.ENOTTY)

	flags := func(cmd int) int {
		n, e := k.Fcntl(fd, cmd, 0)
		ok(t, e)
		return n
	}
	_, e = ask(fioClex)
	if ok(t, e); flags(syscall.F_GETFD) != syscall.FD_CLOEXEC {
		t.Error("FIOCLEX does nothing")
	}
	_, e = ask(fioNclex)
	if ok(t, e); flags(syscall.F_GETFD) != 0 {
		t.Error("FIONCLEX does nothing")
	}
	for _, on := range []byte{1, 0} {
		_, e = ask(fioNbio, on, 0, 0, 0)
		if ok(t, e); flags(syscall.F_GETFL)&syscall.O_NONBLOCK != 0 != (on == 1) {
			t.Errorf("FIONBIO %d does nothing", on)
		}
	}

	ok(t, k.Close(fd))
	_, e = ask(fioNread, 0, 0, 0, 0)
	is(t, "closed", e, syscall.EBADF)
	fd, e = k.Openat(AT_FDCWD, "/f", O_PATH, 0)
	ok(t, e)
	_, e = ask(fioNread, 0, 0, 0, 0)
	is(t, "O_PATH", e, syscall.EBADF)
}

// device has an Ioctl and a Poll.
type device struct {
	fs.UnsupportedFile
	cmd   uint32
	arg   uint64
	in    []byte
	reply string
	val   int32
	err   error
	ready uint32
}

func (d *device) Getattr(a *fs.Attr) error { return nil }

func (d *device) Ioctl(cmd uint32, arg uint64, in, out []byte) (int32, int, error) {
	d.cmd, d.arg, d.in = cmd, arg, in
	return d.val, copy(out, d.reply), d.err
}

func (d *device) Poll(events uint32) (uint32, error) { return d.ready & events, d.err }

// openDevice makes d what opens at a node of a character device.
var lastDevice atomic.Uint64

func openDevice(t *testing.T, k *Kernel, d fs.File) (fd int) {
	rdev := 0x2a00 + lastDevice.Add(1)%0x100
	k.VFS().HandleDevice(syscall.S_IFCHR, rdev, func(int) (fs.File, error) { return d, nil })
	name := fmt.Sprintf("/device%d", rdev)
	ok(t, k.Mknodat(AT_FDCWD, name, syscall.S_IFCHR|0o600, int(rdev)))
	fd, e := k.Openat(AT_FDCWD, name, syscall.O_RDWR, 0)
	ok(t, e)
	return fd
}

func TestIoctlData(t *testing.T) {
	d := &device{reply: "reply, and more"}
	k := newKernel(t)
	fd := openDevice(t, k, d)
	for _, tt := range []struct {
		req  uint32
		val  int32
		err  error
		in   string // what the device must see
		data string // what must be in memory afterwards
		want syscall.Errno
	}{
		{req: iocWrite | 5<<16 | 1, in: "memor", data: "memory", val: 7},
		{req: iocRead | 5<<16 | 2, data: "replyy"},
		{req: iocRead | iocWrite | 6<<16 | 3, in: "memory", data: "reply,"},
		{req: 4, data: "memory"},
		{req: iocRead | 7<<16 | 5, data: "memory", want: syscall.EFAULT},
		{req: 6, data: "memory", err: syscall.EPERM, want: syscall.EPERM},
		{req: 7, data: "memory", val: -int32(syscall.ENOSPC), want: syscall.ENOSPC},
	} {
		*d = device{reply: d.reply, val: tt.val, err: tt.err}
		data := []byte("memory")
		val, e := k.Ioctl(fd, tt.req, 99, data)
		if e != tt.want || e == 0 && val != int(tt.val) || string(d.in) != tt.in || string(data) != tt.data {
			t.Errorf("%#x: %d %v, in %q, data %q", tt.req, val, e, d.in, data)
		}
		if tt.want != syscall.EFAULT && (d.cmd != tt.req || d.arg != 99) {
			t.Errorf("the device saw %#x %d, want %#x", d.cmd, d.arg, tt.req)
		}
	}
}

func TestPoll(t *testing.T) {
	k := newKernel(t)
	put(t, k, "/f", "")
	file, e := k.Openat(AT_FDCWD, "/f", syscall.O_RDONLY, 0)
	ok(t, e)
	r, w := pipe(t, k, 0)
	const in, out = fs.PollIn, fs.PollOut
	poll := func(ns int64, fdsEvents ...int) (n int, revents []int16) {
		t.Helper()
		var fds []int32
		var events []int16
		for i := 0; i < len(fdsEvents); i += 2 {
			fds, events = append(fds, int32(fdsEvents[i])), append(events, int16(fdsEvents[i+1]))
		}
		revents = make([]int16, len(fds))
		n, e := k.Poll(fds, events, revents, ns)
		ok(t, e)
		return n, revents
	}
	expect := func(what string, n int, got []int16, want ...int16) {
		t.Helper()
		ready := 0
		for i := range want {
			if want[i] != 0 {
				ready++
			}
			if got[i] != want[i] {
				t.Errorf("%s: %#x, want %#x", what, got, want)
				return
			}
		}
		if n != ready {
			t.Errorf("%s: %d", what, n)
		}
	}
	n, got := poll(-1, file, in|out, r, in, w, out, -1, in, 99, in)
	expect("all", n, got, in|out, 0, out, 0, fs.PollNval)
	start := time.Now()
	n, got = poll(int64(30*time.Millisecond), r, in)
	if expect("empty", n, got, 0); time.Since(start) < 30*time.Millisecond {
		t.Error("it has not waited")
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		time.Sleep(10 * time.Millisecond)
		k.Write(w, []byte("x"))
	})
	n, got = poll(-1, r, in)
	expect("written to", n, got, in)
	writer.Wait()
	ok(t, k.Close(w))
	n, got = poll(-1, r, in|out)
	expect("hung up", n, got, in|fs.PollHup)

	d := &device{}
	fd := openDevice(t, k, d)
	n, got = poll(0, fd, in)
	expect("not ready", n, got, 0)
	d.ready = in
	n, got = poll(-1, fd, in|out)
	expect("ready", n, got, in)
	d.err = syscall.EIO
	n, got = poll(-1, fd, in)
	expect("broken", n, got, fs.PollErr)
}

func TestStatx(t *testing.T) {
	k := newKernel(t)
	put(t, k, "/f", "hello")
	ok(t, k.Symlinkat("f", AT_FDCWD, "/l"))
	fd, e := k.Openat(AT_FDCWD, "/f", syscall.O_RDONLY, 0)
	ok(t, e)
	var st syscall.Stat_t
	ok(t, k.Fstat(fd, &st))
	stx := make([]byte, StatxSize)
	size := func() byte { return stx[40] }
	ok(t, k.Statx(AT_FDCWD, "/l", 0, 0xfff, stx))
	if size() != 5 {
		t.Errorf("size %d", size())
	}
	ok(t, k.Statx(AT_FDCWD, "/l", AT_SYMLINK_NOFOLLOW|atForceSync, 0xfff, stx))
	if size() != 1 {
		t.Errorf("size of the link %d", size())
	}
	ok(t, k.Statx(fd, "", AT_EMPTY_PATH, 0xfff, stx))
	if size() != 5 {
		t.Errorf("size of the open file %d", size())
	}
	is(t, "a flag", k.Statx(fd, "", 1, 0xfff, stx), syscall.EINVAL)
	is(t, "sync and not", k.Statx(AT_FDCWD, "/f", atForceSync|atDontSync, 0, stx), syscall.EINVAL)
	is(t, "the reserved mask", k.Statx(AT_FDCWD, "/f", 0, statxReserved, stx), syscall.EINVAL)
	is(t, "little memory", k.Statx(AT_FDCWD, "/f", 0, 0, stx[:255]), syscall.EFAULT)
	is(t, "nothing", k.Statx(AT_FDCWD, "/no", 0, 0, stx), syscall.ENOENT)
}
