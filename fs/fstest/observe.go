package fstest

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// play does the operation and looks at what it has touched.
func (o step) play(w *world) []answer {
	answers := []answer{{o.name, o.do(w)}}
	if o.leave {
		w.leaveRemoved()
	}
	tell := func(of, said string) { answers = append(answers, answer{of, said}) }
	for _, i := range o.fds {
		w.lookAtOpen(i, tell)
	}
	var seen []place
	look := func(p place) {
		if !slices.Contains(seen, p) {
			seen = append(seen, p)
			w.lookAt(p, o.stamp, tell)
		}
	}
	for _, p := range o.places {
		look(p)
		if dir, ok := p.parent(); ok {
			look(dir)
		}
	}
	return answers
}

// leaveRemoved goes out of removed directories and closes them.
func (w *world) leaveRemoved() {
	var st syscall.Stat_t
	if e := w.s.Fstatat(cwd, ".", &st, 0); e != 0 || st.Nlink == 0 {
		w.s.Chdir("/")
	}
	for i, kind := range w.kinds {
		if kind != syscall.S_IFDIR {
			continue
		}
		if e := w.s.Fstat(w.fds[i], &st); e != 0 || st.Nlink == 0 {
			w.close(i)
		}
	}
}

// parent is the directory that p is in; false if p has no name.
func (p place) parent() (place, bool) {
	name := strings.TrimRight(p.path, "/")
	if name == "" {
		return place{}, false
	}
	dir := name[:strings.LastIndexByte(name, '/')+1]
	if dir == "" {
		dir = "."
	}
	return place{p.dir, dir}, true
}

// lookAtOpen tells about descriptor i: attributes, position and contents.
func (w *world) lookAtOpen(i int, tell func(of, said string)) {
	fd := w.fds[i]
	if fd < 0 {
		return
	}
	var st syscall.Stat_t
	said := result(w.s.Fstat(fd, &st))
	if said == "ok" {
		said = describe(&st)
	}
	tell(fmt.Sprintf("then fstat(%d)", i), said)
	if w.kinds[i] == syscall.S_IFREG {
		pos, e := w.s.Seek(fd, 0, 1)
		tell(fmt.Sprintf("then position of %d", i), resultN(int(pos), e))
		n, e := w.s.Pread(fd, w.buf, 0)
		tell(fmt.Sprintf("then contents of %d", i), resultSum(w.buf, n, e))
	}
}

// lookAt tells about a path: attributes, and names or contents; of a link, the
// same about what the link leads to. Then it sets the times to stamp, if that
// is not 0, so that the next change of them shows.
func (w *world) lookAt(p place, stamp int64, tell func(of, said string)) {
	dir := w.at(p.dir)
	of := fmt.Sprintf("then %d %q", p.dir, p.path)
	var st syscall.Stat_t
	e := w.s.Fstatat(dir, p.path, &st, nofollow)
	if e == 0 && st.Mode&syscall.S_IFMT == syscall.S_IFLNK {
		tell(of, describe(&st))
		n, e2 := w.s.Readlinkat(dir, p.path, w.buf)
		tell(of+" link", resultSum(w.buf, n, e2))
		of += " followed"
		e = w.s.Fstatat(dir, p.path, &st, 0)
	}
	if e != 0 {
		tell(of, result(e))
		return
	}
	tell(of, describe(&st))
	if st.Nlink == 0 {
		return // a removed directory
	}
	if p.dir < 0 {
		tell(of+" xattrs", w.xattrs(p.path, false))
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		tell(of+" names", w.names(dir, p.path))
	case syscall.S_IFREG:
		tell(of+" contents", w.contents(dir, p.path))
	}
	if stamp != 0 {
		ts := [2]syscall.Timespec{{Sec: stamp, Nsec: stamp}, {Sec: stamp, Nsec: stamp}}
		tell(of+" utimensat", result(w.s.Utimensat(dir, p.path, &ts, 0)))
	}
}

// names tells what is in a directory.
func (w *world) names(dir int, path string) string {
	fd, e := w.s.Openat(dir, path, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if e != 0 {
		return result(e)
	}
	defer w.s.Close(fd)
	names, e := readNames(w.s, fd, 4096)
	return fmt.Sprint(names, result(e))
}

// contents describes what is in a file.
func (w *world) contents(dir int, path string) string {
	fd, e := w.s.Openat(dir, path, syscall.O_RDONLY, 0)
	if e != 0 {
		return result(e)
	}
	defer w.s.Close(fd)
	n, e := w.s.Read(fd, w.buf)
	return resultSum(w.buf, n, e)
}

func resultSum(buf []byte, n int, e syscall.Errno) string {
	if e != 0 {
		return e.Error()
	}
	return sum(buf[:n])
}

// xattrs tells names and values of extended attributes.
func (w *world) xattrs(path string, nofollow bool) string {
	names, e := xattrNames(w.s, path, nofollow)
	if e != 0 {
		return result(e)
	}
	said := ""
	for _, name := range names {
		n, e := w.s.Getxattr(path, name, w.buf, nofollow)
		said += name + "=" + resultSum(w.buf, n, e) + " "
	}
	return said
}

// tree tells about all that there is below the root, by path.
func (w *world) tree() []answer {
	t := teller{world: w, inos: make(map[uint64]int)}
	t.tellDir("/")
	return t.answers
}

type teller struct {
	*world
	answers []answer
	inos    map[uint64]int
}

func (t *teller) tell(path, said string) { t.answers = append(t.answers, answer{path, said}) }

func (t *teller) tellDir(dir string) {
	fd, e := t.s.Openat(cwd, dir, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if e != 0 {
		t.tell(dir, "open: "+result(e))
		return
	}
	names, e := readNames(t.s, fd, 4096)
	t.s.Close(fd)
	if e != 0 {
		t.tell(dir, "getdents: "+result(e))
	}
	for _, line := range names {
		name, _, _ := strings.Cut(line, " ")
		if name == "." || name == ".." {
			continue
		}
		path := dir + name
		var st syscall.Stat_t
		if e := t.s.Fstatat(cwd, path, &st, nofollow); e != 0 {
			t.tell(path, "lstat: "+result(e))
			continue
		}
		id, known := t.inos[st.Ino]
		if !known {
			id = len(t.inos)
			t.inos[st.Ino] = id
		}
		contents := ""
		switch st.Mode & syscall.S_IFMT {
		case syscall.S_IFREG:
			contents = t.contents(cwd, path)
		case syscall.S_IFLNK:
			n, e := t.s.Readlinkat(cwd, path, t.buf)
			contents = "→ " + string(t.buf[:n]) + " " + result(e)
		}
		t.tell(path, fmt.Sprintf("#%d %s %s %s", id, describe(&st), contents, t.xattrs(path, true)))
		if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			t.tellDir(path + "/")
		}
	}
}
