package syscalls

import (
	"bytes"
	"io"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
)

func pipe(t testing.TB, k *Kernel, flags int) (r, w int) {
	t.Helper()
	var p [2]int
	ok(t, k.Pipe2(&p, flags))
	return p[0], p[1]
}

func TestPipe(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t, k, 0)
	want := make([]byte, 300_000)
	for i := range want {
		want[i] = byte(i * i >> 8)
	}
	go func() {
		if n, e := k.Write(w, want); n != len(want) || e != 0 {
			t.Errorf("write: %d, %v", n, e)
		}
		k.Close(w)
	}()
	var got []byte
	buf := make([]byte, 7777)
	for {
		n, e := k.Read(r, buf)
		ok(t, e)
		if n == 0 {
			break
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, of %d", len(got), len(want))
	}
	_, e := k.Pread(r, buf, 0)
	is(t, "pread", e, syscall.ESPIPE)
	_, e = k.Seek(r, 0, 0)
	is(t, "lseek", e, syscall.ESPIPE)
	_, e = k.Write(r, buf)
	is(t, "write to the reading end", e, syscall.EBADF)
	var st syscall.Stat_t
	ok(t, k.Fstat(r, &st))
	if st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		t.Errorf("mode %o", st.Mode)
	}
}

func TestPipeWithoutReaders(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t, k, 0)
	r2, e := k.Dup(r)
	ok(t, e)
	ok(t, k.Close(r))
	_, e = k.Write(w, []byte("x"))
	ok(t, e)
	done := make(chan syscall.Errno)
	go func() {
		_, e := k.Write(w, make([]byte, 1<<20))
		for e == 0 {
			_, e = k.Write(w, make([]byte, 1<<20))
		}
		done <- e
	}()
	ok(t, k.Close(r2))
	is(t, "write without readers", <-done, syscall.EPIPE)
}

func TestPipeNonblock(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t, k, syscall.O_NONBLOCK)
	_, e := k.Read(r, make([]byte, 1))
	is(t, "read what is empty", e, syscall.EAGAIN)
	n, e := k.Write(w, make([]byte, 100_000))
	if n != 65536 || e != 0 {
		t.Errorf("wrote %d, %v", n, e)
	}
	_, e = k.Write(w, []byte("x"))
	is(t, "write to what is full", e, syscall.EAGAIN)
	k.Read(r, make([]byte, 4095))
	_, e = k.Write(w, make([]byte, 4096))
	is(t, "write 4096 where 4095 fit", e, syscall.EAGAIN)
	done := make(chan syscall.Errno)
	go func() { done <- k.Wait(w, 'w') }()
	k.Read(r, make([]byte, 1))
	is(t, "wait", <-done, 0)
	if n, e := k.Write(w, make([]byte, 4096)); n != 4096 {
		t.Errorf("wrote %d, %v", n, e)
	}
}

func TestPipeWritesAreWhole(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t, k, 0)
	const writers, size = 4, 1000
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range 200 {
				k.Write(w, bytes.Repeat([]byte{byte(i)}, size))
			}
		})
	}
	go func() {
		wg.Wait()
		k.Close(w)
	}()
	buf := make([]byte, size)
	for {
		n := 0
		for n < size {
			m, e := k.Read(r, buf[n:])
			ok(t, e)
			if m == 0 {
				break
			}
			n += m
		}
		if n == 0 {
			return
		}
		if !bytes.Equal(buf, bytes.Repeat(buf[:1], size)) {
			t.Fatal("two writes are mixed")
		}
	}
}

// blocked runs do, which is to block, and returns what it answers once the
// rest of the bubble waits.
func blocked(do func() syscall.Errno) func() syscall.Errno {
	c := make(chan syscall.Errno, 1)
	go func() { c <- do() }()
	synctest.Wait()
	return func() syscall.Errno { return <-c }
}

func TestEndingBlockedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		r, w := pipe(t, k, 0)
		buf := make([]byte, 10)
		read := func() syscall.Errno {
			_, e := k.Read(r, buf)
			return e
		}
		wait := blocked(read)
		ok(t, k.SetDeadline(r, 'r', int64(time.Second)))
		start := time.Now()
		is(t, "read until the deadline", wait(), syscall.EAGAIN)
		if d := time.Since(start); d != time.Second {
			t.Errorf("the deadline came after %v", d)
		}
		is(t, "wait says", k.Wait(r, 'r'), syscall.ETIMEDOUT)
		k.Write(w, []byte("x"))
		is(t, "read behind the deadline", read(), syscall.EAGAIN)
		ok(t, k.SetDeadline(r, 'r'+'w', 0))
		is(t, "read without a deadline", read(), 0)

		// Moving the deadline away keeps a blocked read.
		ok(t, k.SetDeadline(r, 'r', int64(time.Second)))
		wait = blocked(read)
		ok(t, k.SetDeadline(r, 'r', int64(time.Hour)))
		time.Sleep(time.Minute)
		k.Write(w, []byte("x"))
		is(t, "read before a later deadline", wait(), 0)
		ok(t, k.SetDeadline(r, 'r', -1))
		is(t, "read after a deadline in the past", read(), syscall.EAGAIN)
		ok(t, k.SetDeadline(r, 'r', 0))

		wait = blocked(read)
		other, e := k.Dup(r)
		ok(t, e)
		ok(t, k.Interrupt(r))
		is(t, "interrupted read", wait(), syscall.EAGAIN)
		is(t, "wait says", k.Wait(r, 'r'), syscall.EBADF)
		is(t, "read after that", read(), syscall.EAGAIN)
		ok(t, k.Close(r))
		is(t, "read what is closed", read(), syscall.EBADF)

		// The duplicate lives on; closing it ends its reader.
		k.Write(w, []byte("y"))
		_, e = k.Read(other, buf)
		is(t, "read the duplicate", e, 0)
		wait = blocked(func() syscall.Errno {
			_, e := k.Read(other, buf)
			return e
		})
		ok(t, k.Close(other))
		is(t, "read while it is closed", wait(), syscall.EBADF)
		_, e = k.Write(w, []byte("z"))
		is(t, "write without readers", e, syscall.EPIPE)
		is(t, "deadline of a file", k.SetDeadline(open(t, k, "/", syscall.O_RDONLY), 'r', 1), syscall.EOPNOTSUPP)
		k.Close(w)
	})
}

// console is a stream that cannot be interrupted.
type console struct {
	in  io.Reader
	out bytes.Buffer
}

func (c *console) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

func (c *console) Write(p []byte) (int, error) { return c.out.Write(p) }

func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		in, typed := io.Pipe()
		c := &console{in: in}
		d := devfs.New(func([]byte) error { return nil })
		d.AddStream("console", c)
		ok(t, k.Mkdirat(AT_FDCWD, "dev", 0o755))
		if err := k.VFS().Mount(fs.Base{}, "dev", d, fs.MountOptions{}); err != nil {
			t.Fatal(err)
		}
		for fd := range 3 {
			ok(t, k.OpenAs(fd, "/dev/console", syscall.O_RDWR))
		}
		k.Write(1, []byte("hello "))
		k.Write(2, []byte("world"))
		if s := c.out.String(); s != "hello world" {
			t.Errorf("the console got %q", s)
		}
		// A read that is given up takes nothing away.
		buf := make([]byte, 100)
		ok(t, k.SetDeadline(0, 'r', int64(time.Second)))
		_, e := k.Read(0, buf)
		is(t, "read until the deadline", e, syscall.EAGAIN)
		ok(t, k.SetDeadline(0, 'r', 0))
		typed.Write([]byte("line\n"))
		n, e := k.Read(0, buf[:2])
		if string(buf[:n]) != "li" || e != 0 {
			t.Errorf("read %q, %v", buf[:n], e)
		}
		n, e = k.Read(1, buf)
		if string(buf[:n]) != "ne\n" || e != 0 {
			t.Errorf("read %q, %v by another descriptor", buf[:n], e)
		}
		typed.Close()
		n, e = k.Read(0, buf)
		if n != 0 || e != 0 {
			t.Errorf("end of file: %d, %v", n, e)
		}
		var st syscall.Stat_t
		ok(t, k.Fstat(0, &st))
		if st.Mode&syscall.S_IFMT != syscall.S_IFCHR {
			t.Errorf("mode %o", st.Mode)
		}
	})
}

func TestFIFO(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Mknodat(AT_FDCWD, "fifo", syscall.S_IFIFO|0o644, 0))
	_, e := k.Openat(AT_FDCWD, "fifo", syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
	is(t, "a writer alone", e, syscall.ENXIO)
	r := open(t, k, "fifo", syscall.O_RDONLY|syscall.O_NONBLOCK)
	n, e := k.Read(r, make([]byte, 1))
	if n != 0 || e != 0 {
		t.Errorf("read without writers: %d, %v", n, e)
	}
	w := open(t, k, "fifo", syscall.O_WRONLY)
	_, e = k.Read(r, make([]byte, 1))
	is(t, "read what is empty", e, syscall.EAGAIN)
	k.Write(w, []byte("text"))
	buf := make([]byte, 10)
	n, _ = k.Read(r, buf)
	if string(buf[:n]) != "text" {
		t.Errorf("read %q", buf[:n])
	}
	ok(t, k.Close(r))
	_, e = k.Write(w, []byte("x"))
	is(t, "write without readers", e, syscall.EPIPE)
	// It is the same pipe as long as it is open somewhere, and then a new one.
	both := open(t, k, "fifo", syscall.O_RDWR)
	k.Write(w, []byte("left"))
	ok(t, k.Close(both))
	ok(t, k.Close(w))
	r = open(t, k, "fifo", syscall.O_RDONLY|syscall.O_NONBLOCK)
	if n, _ := k.Read(r, buf); n != 0 {
		t.Errorf("%q was left in the FIFO", buf[:n])
	}
	ok(t, k.Unlinkat(AT_FDCWD, "fifo", 0))
}
