package syscalls

import "syscall"

// Sendfile copies up to n bytes of rfd's file, which has positions, to wfd's.
// With off they are those from there on, and the position of rfd is left alone.
func (k *Kernel) Sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno) {
	r, e := k.table.file(rfd)
	if e != 0 {
		return -1, e
	}
	e = r.maySend(off, n)
	r.put()
	if e != 0 {
		return -1, e
	}
	t, e := k.transfer(rfd, wfd, 0)
	if e != 0 {
		return -1, e
	}
	defer t.put()
	r, n = t.r, min(n, maxTransfer)
	switch {
	case !t.w.writable():
		return -1, syscall.EBADF
	case t.to != nil:
		return t.toPipe(off, n)
	case r.stream != nil && !r.anon() || t.w.flags.Load()&syscall.O_APPEND != 0:
		return -1, syscall.EINVAL
	case n == 0:
		return 0, 0
	case r.kind == syscall.S_IFDIR || r.anon():
		return -1, syscall.EINVAL
	}
	return t.copy(off, n)
}

// maySend is what Sendfile checks first.
func (d *desc) maySend(off *int64, n int) syscall.Errno {
	switch {
	case !d.readable():
		return syscall.EBADF
	case off != nil && (d.stream != nil || d.anon()):
		return syscall.ESPIPE
	case n < 0 || off != nil && *off < 0:
		return syscall.EINVAL
	}
	return 0
}

// copy writes up to n bytes of one file to another.
func (t *transfer) copy(off *int64, n int) (done int, e syscall.Errno) {
	d, w := t.r, t.w
	at := int64(0)
	if off != nil {
		at = *off
	} else {
		d.mu.Lock()
		at = d.pos
		d.mu.Unlock()
	}
	b := make([]byte, min(n, 64<<10))
	for done < n && e == 0 {
		got, err := d.readAt(b[:min(len(b), n-done)], at)
		if got == 0 {
			e = errno(err)
			break
		}
		if w.anon() || w.kind == syscall.S_IFDIR {
			e = syscall.EINVAL
			break
		}
		var put int
		put, e = t.write(b[:got], nil)
		done += put
		at += int64(put)
		if put < got {
			break
		}
	}
	if off != nil {
		*off = at
	} else {
		d.mu.Lock()
		d.pos = at
		d.mu.Unlock()
	}
	if done == 0 && e != 0 {
		return -1, e
	}
	return done, 0
}
