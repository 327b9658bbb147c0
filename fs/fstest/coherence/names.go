package coherence

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
)

// replace makes a file of the worker's own and puts it in the place of another.
func (w *worker) replace() {
	own, id := fmt.Sprint("own", w.number), w.ids.Add(1)
	fd := -1
	w.call("creat("+own+")", func() (e syscall.Errno) {
		fd, e = w.sys.Openat(cwd, w.path("%s", own), syscall.O_CREAT|syscall.O_EXCL|syscall.O_WRONLY, 0o644)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(own)
		r.writes = append(r.writes, access{at, id, by})
		return must(e)
	})
	if n, e := w.sys.Write(fd, stamp(id, 16)); n != 16 || e != 0 {
		w.fail("worker %d: write to %s: %d, %v", w.number, own, n, e)
	}
	w.sys.Close(fd)
	target := fmt.Sprint("target", w.r.IntN(targets))
	w.call(fmt.Sprintf("rename(%s, %s) of %#x", own, target, id), func() syscall.Errno {
		return w.sys.Renameat2(cwd, w.path("%s", own), cwd, w.path("%s", target), 0)
	}, func(at interval, by string, e syscall.Errno) error {
		from, to := w.name(own), w.name(target)
		from.writes = append(from.writes, access{at, 0, by})
		to.writes = append(to.writes, access{at, id, by})
		return must(e)
	})
}

// readTarget opens a target, which is whole, whoever replaces it.
func (w *worker) readTarget(i int) {
	name, fd := fmt.Sprint("target", i), -1
	var opened access
	w.call("open("+name+")", func() (e syscall.Errno) {
		fd, e = w.sys.Openat(cwd, w.path("%s", name), syscall.O_RDONLY, 0)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		opened = access{at, 0, by}
		if e == syscall.ENOENT {
			return nil
		}
		return must(e)
	})
	if fd >= 0 {
		b := make([]byte, 32)
		n, e := w.sys.Read(fd, b)
		w.sys.Close(fd)
		opened.value = binary.LittleEndian.Uint64(b)
		if e != 0 || n != 16 || opened.value != binary.LittleEndian.Uint64(b[8:]) {
			w.fail("worker %d: read of %s, opened by %v: %d bytes, %v: %x; want two equal numbers", w.number, name, opened, n, e, b[:max(n, 0)])
		}
	}
	w.mu.Lock()
	w.name(name).reads = append(w.name(name).reads, opened)
	w.mu.Unlock()
}

// lock makes a file that must not exist.
func (w *worker) lock() {
	name, id := fmt.Sprint("lock", w.r.IntN(locks)), w.ids.Add(1)
	w.call("open("+name+", O_EXCL)", func() syscall.Errno {
		fd, e := w.sys.Openat(cwd, w.path("%s", name), syscall.O_CREAT|syscall.O_EXCL|syscall.O_WRONLY, 0o644)
		if e == 0 {
			w.sys.Close(fd)
		}
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(name)
		switch e {
		case 0:
			r.reads = append(r.reads, access{at, 0, by})
			r.writes = append(r.writes, access{at, id, by})
		case syscall.EEXIST:
			r.reads = append(r.reads, access{at, anyValue, by})
		default:
			return e
		}
		return nil
	})
}

func (w *worker) unlock() {
	name := fmt.Sprint("lock", w.r.IntN(locks))
	w.call("unlink("+name+")", func() syscall.Errno {
		return w.sys.Unlinkat(cwd, w.path("%s", name), 0)
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(name)
		switch e {
		case 0:
			r.reads = append(r.reads, access{at, anyValue, by})
			r.writes = append(r.writes, access{at, 0, by})
		case syscall.ENOENT:
			r.reads = append(r.reads, access{at, 0, by})
		default:
			return e
		}
		return nil
	})
}

// find looks whether a name is there.
func (w *worker) find() {
	name := fmt.Sprint([]string{"lock", "target", "own", "keep"}[w.r.IntN(4)], w.r.IntN(2))
	var st syscall.Stat_t
	w.call("stat("+name+")", func() syscall.Errno {
		return w.sys.Fstatat(cwd, w.path("%s", name), &st, 0)
	}, func(at interval, by string, e syscall.Errno) error {
		return w.there(name, at, by, e)
	})
}

// there records that a name was found if e is 0, or missed.
func (p *play) there(name string, at interval, by string, e syscall.Errno) error {
	r := p.name(name)
	switch e {
	case 0:
		r.reads = append(r.reads, access{at, anyValue, by})
	case syscall.ENOENT:
		r.reads = append(r.reads, access{at, 0, by})
	default:
		return e
	}
	return nil
}

// list lists the directory with a buffer of size bytes.
func (w *worker) list(size int) {
	found := map[string]int{}
	w.call("list", func() syscall.Errno {
		fd, e := w.sys.Openat(cwd, w.path("."), syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if e != 0 {
			return e
		}
		defer w.sys.Close(fd)
		buf := make([]byte, max(size, 300))
		for {
			n, e := w.sys.ReadDirent(fd, buf)
			if n <= 0 || e != 0 {
				return e
			}
			for _, name := range direntNames(buf[:n]) {
				found[name]++
			}
		}
	}, func(at interval, by string, e syscall.Errno) error {
		if e != 0 {
			return e
		}
		all := []string{"data0", "data1", logName}
		for i := range keeps {
			all = append(all, fmt.Sprint("keep", i))
		}
		for _, name := range all {
			if found[name] != 1 {
				return fmt.Errorf("%s was found %d times; nobody has touched it", name, found[name])
			}
		}
		for i := range max(targets, locks, w.c.Workers) {
			for _, kind := range []string{"target", "lock", "own"} {
				name, e := fmt.Sprint(kind, i), syscall.ENOENT
				if found[name] > 0 {
					e = 0
				}
				if err := w.there(name, at, by, e); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// direntNames are the names in what getdents64(2) has filled.
func direntNames(b []byte) (names []string) {
	const header = 19 // d_ino, d_off, d_reclen, d_type
	for len(b) >= header {
		n := min(int(binary.LittleEndian.Uint16(b[16:])), len(b))
		name, _, _ := strings.Cut(string(b[header:max(n, header)]), "\x00")
		names = append(names, name)
		b = b[max(n, 1):]
	}
	return names
}
