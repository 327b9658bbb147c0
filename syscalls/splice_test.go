package syscalls

import (
	"bytes"
	"runtime"
	"syscall"
	"testing"
)

// TestSpliceSockets: what comes through a pipe from one socket to another is what was
// sent, in pieces as large as the pipe and the socket take.
func TestSpliceSockets(t *testing.T) {
	k, _ := withSockets()
	in, r := pair(t, k, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK)
	w, out := pair(t, k, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK)
	pr, pw := largePipe(t, k)
	var sent, got []byte
	piece := make([]byte, 100_000)
	buf := make([]byte, 300_000)
	for i := range 50 {
		for j := range piece {
			piece[j] = byte(i * j >> 3)
		}
		n, e := k.Write(in, piece[:i*i*40])
		if e != 0 && e != syscall.EAGAIN {
			t.Fatal(e)
		}
		sent = append(sent, piece[:max(n, 0)]...)
		for {
			n, e := k.Splice(r, nil, pw, nil, 1<<20, spliceNonblock)
			if e == syscall.EAGAIN {
				break
			}
			ok(t, e)
			for n > 0 {
				m, e := k.Splice(pr, nil, w, nil, n, spliceNonblock)
				ok(t, e)
				n -= m
				if m, e = k.Read(out, buf); e == 0 {
					got = append(got, buf[:m]...)
				}
			}
		}
	}
	for {
		n, e := k.Read(out, buf)
		if e != 0 {
			break
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, sent) || len(sent) < 500_000 {
		t.Errorf("%d bytes were sent, %d come out, or others", len(sent), len(got))
	}
}

// TestSpliceTakesNoRoom: a pipe with room for a megabyte costs nothing where there is
// nothing, or little, to move.
func TestSpliceTakesNoRoom(t *testing.T) {
	k, _ := withSockets()
	in, r := pair(t, k, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK)
	pr, pw := largePipe(t, k)
	buf := make([]byte, 10)
	one := func() {
		if _, e := k.Splice(r, nil, pw, nil, 1<<20, spliceNonblock); e != syscall.EAGAIN {
			t.Fatal(e)
		}
		k.Write(in, buf[:1])
		if n, e := k.Splice(r, nil, pw, nil, 1<<20, spliceNonblock); n != 1 || e != 0 {
			t.Fatal(n, e)
		}
		k.Read(pr, buf)
	}
	one()
	const rounds = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		one()
	}
	runtime.ReadMemStats(&after)
	// A page of the pipe each time; the pool may lose its buffer now and then.
	if n := (after.TotalAlloc - before.TotalAlloc) / rounds; n > 16<<10 {
		t.Errorf("%d bytes are allocated for one that is moved", n)
	}
}

func largePipe(t *testing.T, k *Kernel) (r, w int) {
	t.Helper()
	var p [2]int
	ok(t, k.Pipe2(&p, syscall.O_NONBLOCK))
	_, e := k.Fcntl(p[1], fSetPipeSize, 1<<20)
	ok(t, e)
	return p[0], p[1]
}
