package syscalls

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// TestSizeLimit: RLIMIT_FSIZE holds for whatever makes a regular file larger, and for
// nothing else.
func TestSizeLimit(t *testing.T) {
	k := newKernel(t)
	p := &program{wants: SigsetOf(syscall.SIGXFSZ)}
	k.Program = p
	put(t, k, "/big", string(make([]byte, 20)))
	put(t, k, "/f", "0123456")
	fd := open(t, k, "/f", syscall.O_RDWR)
	appends := open(t, k, "/f", syscall.O_WRONLY|syscall.O_APPEND)
	big := open(t, k, "/big", syscall.O_RDWR)
	_, e := k.Prlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10, Max: rlimInfinity})
	ok(t, e)

	signals := 0
	refused := func(what string, e syscall.Errno) {
		t.Helper()
		is(t, what, e, syscall.EFBIG)
		if signals++; len(p.got) != signals {
			t.Errorf("%s: %d times SIGXFSZ, want %d", what, len(p.got), signals)
			signals = len(p.got)
		}
	}
	wrote := func(what string, n int, e syscall.Errno, want int) {
		t.Helper()
		if n != want || e != 0 {
			t.Errorf("%s: %d, %v, want %d", what, n, e, want)
		}
	}
	n, e := k.Write(appends, []byte("78"))
	wrote("O_APPEND within", n, e, 2)
	n, e = k.Write(appends, []byte("9ABC"))
	wrote("O_APPEND across", n, e, 1)
	_, e = k.Write(appends, []byte("A"))
	refused("O_APPEND behind", e)
	n, e = k.Pwrite(fd, []byte("abcdef"), 6)
	wrote("pwrite across", n, e, 4)
	_, e = k.Pwrite(fd, []byte("x"), 10)
	refused("pwrite behind", e)
	n, e = k.Pwritev(fd, [][]byte{[]byte("ab"), []byte("cd")}, 7)
	wrote("pwritev across", n, e, 3)
	n, e = k.Write(fd, nil)
	wrote("nothing", n, e, 0)
	_, e = k.Fcntl(fd, syscall.F_SETFL, syscall.O_APPEND)
	ok(t, e)
	_, e = k.Write(fd, []byte("x"))
	refused("F_SETFL's O_APPEND behind", e)
	_, e = k.Fcntl(fd, syscall.F_SETFL, 0)
	ok(t, e)
	if got := get(t, k, "/f"); len(got) != 10 {
		t.Errorf("the file has %d bytes", len(got))
	}

	is(t, "ftruncate within", k.Ftruncate(fd, 9), 0)
	refused("ftruncate", k.Ftruncate(fd, 11))
	refused("truncate", k.Truncate("/f", 11))
	is(t, "truncate of a file that is larger", k.Truncate("/big", 19), 0)
	refused("truncate of one that is larger still", k.Truncate("/big", 20))
	is(t, "no such file", k.Truncate("/none", 20), syscall.ENOENT)
	is(t, "fallocate within", k.Fallocate(fd, 0, 0, 10), 0)
	refused("fallocate", k.Fallocate(fd, 0, 5, 6))
	is(t, "fallocate that keeps the size", k.Fallocate(fd, fs.FallocKeepSize, 5, 6), 0)
	_, e = k.Pwrite(big, []byte("x"), 15)
	refused("pwrite within a file that is larger", e)

	zero, at := int64(0), int64(8)
	n, e = k.CopyFileRange(big, &zero, fd, &at, 5, 0)
	wrote("copy_file_range across", n, e, 2)
	zero, at = 0, 10
	_, e = k.CopyFileRange(big, &zero, fd, &at, 5, 0)
	refused("copy_file_range behind", e)

	r, w := pipe(t, k, 0)
	n, e = k.Write(w, bytes.Repeat([]byte("p"), 30))
	wrote("a pipe", n, e, 30)
	off := int64(7)
	n, e = k.Splice(r, nil, fd, &off, 20, 0)
	wrote("splice across", n, e, 3)
	_, e = k.Splice(r, nil, fd, &off, 20, 0)
	refused("splice behind", e)

	_, e = k.Prlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: rlimInfinity})
	ok(t, e)
	_, e = k.Pwrite(fd, []byte("x"), 0)
	refused("a limit of 0", e)
	_, e = k.Prlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: rlimInfinity, Max: rlimInfinity})
	ok(t, e)
	n, e = k.Pwrite(fd, []byte("x"), 100)
	wrote("no limit", n, e, 1)
	at = 200
	_, e = k.CopyFileRange(big, &zero, fd, &at, 5, 0)
	is(t, "copy_file_range without a limit", e, 0)
}
