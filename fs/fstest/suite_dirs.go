package fstest

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"syscall"
)

func testRename(x *exam) {
	x.lay("f: f", "g: g", "d/", "d/h: h", "l => f")
	x.ok("rename", x.rename("f", "d/f"))
	x.has("/", "g: g", "d/", "d/f: f", "d/h: h", "l => f")
	x.ok("rename over a file", x.rename("d/h", "g"))
	x.has("/", "g: h", "d/", "d/f: f", "l => f")
	x.ok("rename a link", x.rename("l", "d/l"))
	x.ok("rename to itself", x.rename("g", "g"))
	x.ok("link", x.link("g", "g2"))
	x.ok("rename to another name of the same", x.rename("g", "g2"))
	x.has("/", "g: h", "g2: h", "d/", "d/f: f", "d/l => f")
	for what, c := range map[string]struct{ got, want syscall.Errno }{
		"nothing":                      {x.rename("none", "x"), syscall.ENOENT},
		"into nothing":                 {x.rename("g", "none/x"), syscall.ENOENT},
		"through a file":               {x.rename("g", "g2/x"), syscall.ENOTDIR},
		"a file over a directory":      {x.rename("g", "d"), syscall.EISDIR},
		"a directory over a file":      {x.rename("d", "g"), syscall.ENOTDIR},
		"a file to a name with slash":  {x.rename("g", "x/"), syscall.ENOTDIR},
		"a file by a name with slash":  {x.rename("g/", "x"), syscall.ENOTDIR},
		".":                            {x.rename(".", "x"), syscall.EBUSY},
		"..":                           {x.rename("d/..", "x"), syscall.EBUSY},
		"to .":                         {x.rename("d", "."), syscall.EBUSY},
		"the root":                     {x.rename("/", "x"), syscall.EBUSY},
		"to a name that is too long":   {x.rename("g", strings.Repeat("n", 256)), syscall.ENAMETOOLONG},
		"a directory into itself":      {x.rename("d", "d/x"), syscall.EINVAL},
		"a directory deep into itself": {x.rename("d", "d/f/x"), syscall.ENOTDIR},
	} {
		x.is("rename "+what, c.got, c.want)
	}
	x.has("/", "g: h", "g2: h", "d/", "d/f: f", "d/l => f")
}

func testRenameDirectories(x *exam) {
	x.lay("a/", "a/b/", "a/b/f: f", "empty/", "full/", "full/x", "z/")
	fd := x.open("a/b", rdonly)
	defer x.Close(fd)
	x.ok("chdir", x.Chdir("a/b"))
	x.is("into its own subtree", x.rename("/a", "/a/b/c"), syscall.EINVAL)
	x.is("over its own ancestor", x.rename("/a/b", "/a"), syscall.ENOTEMPTY)
	x.is("over a full directory", x.rename("/a", "/full"), syscall.ENOTEMPTY)
	x.ok("over an empty directory", x.rename("/a", "/empty"))
	x.ok("into another", x.rename("/empty", "/z/y/"))
	x.has("/", "z/", "z/y/", "z/y/b/", "z/y/b/f: f", "full/", "full/x")
	if dir, e := x.Getcwd(); dir != "/z/y/b" || e != 0 {
		x.Errorf("getcwd: %q, %v", dir, e)
	}
	x.lay("g: by the working directory")
	var st syscall.Stat_t
	x.ok("stat by the open directory", x.Fstatat(fd, "g", &st, 0))
	x.ok("stat of ..", x.Fstatat(fd, "../../../full/x", &st, 0))
}

func testRenameFlags(x *exam) {
	x.lay("f: f", "g: g", "d/", "d/x")
	flags := func(from, to string, f uint32) syscall.Errno { return x.Renameat2(cwd, from, cwd, to, f) }
	if e := flags("f", "new", noReplace); e == syscall.EINVAL {
		x.Skip("the file system knows no flags")
	} else {
		x.ok("without replacing", e)
	}
	x.is("without replacing, a file", flags("new", "g", noReplace), syscall.EEXIST)
	x.is("without replacing, itself", flags("g", "g", noReplace), syscall.EEXIST)
	x.is("both flags", flags("g", "h", noReplace|exchange), syscall.EINVAL)
	x.is("exchange with nothing", flags("g", "h", exchange), syscall.ENOENT)
	x.ok("exchange files", flags("g", "new", exchange))
	x.has("/", "g: f", "new: g", "d/", "d/x")
	x.ok("exchange a file and a directory", flags("g", "d", exchange))
	x.has("/", "d: f", "new: g", "g/", "g/x")
	x.is("exchange with an ancestor", flags("g/x", "g", exchange), syscall.EINVAL)
	x.is("exchange and whiteout", flags("d", "new", exchange|whiteout), syscall.EINVAL)
	x.is("an unknown flag", flags("d", "new", 8), syscall.EINVAL)

	// A whiteout is a device 0:0 at the old name. Not every file system has them.
	x.is("whiteout without replacing, a file", flags("d", "new", noReplace|whiteout), syscall.EEXIST)
	var st syscall.Stat_t
	x.ok("stat of the name to come", x.Fstatat(cwd, "d", &st, 0))
	switch e := flags("d", "moved", whiteout); e {
	case syscall.EINVAL:
		x.is("stat of what was not moved", x.Fstatat(cwd, "moved", &st, 0), syscall.ENOENT)
	case 0:
		x.ok("stat of the whiteout", x.Fstatat(cwd, "d", &st, 0))
		if st.Mode&syscall.S_IFMT != syscall.S_IFCHR || st.Rdev != 0 {
			x.Errorf("the whiteout has mode %o and device %#x, want a character device 0", st.Mode, st.Rdev)
		}
		x.ok("unlink the whiteout", x.Unlinkat(cwd, "d", 0))
		x.has("/", "moved: f", "new: g", "g/", "g/x")
	default:
		x.Errorf("whiteout: %v", e)
	}
}

func testReadDir(x *exam) {
	x.ok("mkdir", x.mkdir("d"))
	for i := range dirFiles {
		x.is("create", x.tryOpen(dirFile(i), wronly|creat), 0)
	}
	x.lay("d/sub/", "d/link => x")
	checkReadDir(x)
}

const dirFiles = 3000

func dirFile(i int) string { return fmt.Sprintf("d/file-with-a-longer-name-%d", i) }

// checkReadDir lists a directory that has dirFiles files, a directory and a link.
func checkReadDir(x *exam) {
	want := make(map[string]bool)
	for i := range dirFiles {
		want[strings.TrimPrefix(dirFile(i), "d/")] = true
	}
	want["sub"], want["link"], want["."], want[".."] = true, true, true, true
	types := map[string]string{"sub": "4", "link": "10", ".": "4", "..": "4"}

	fd := x.open("d", rdonly)
	defer x.Close(fd)
	for _, size := range []int{300, 4096, 1 << 20} {
		_, e := x.Seek(fd, 0, 0)
		x.ok("rewind", e)
		names, e := readNames(x, fd, size)
		x.ok("getdents", e)
		if len(names) != len(want) {
			x.Errorf("with %d bytes: %d entries, want %d", size, len(names), len(want))
		}
		seen := make(map[string]bool)
		for _, line := range names {
			name, kind, _ := strings.Cut(line, " ")
			expect := types[name]
			if expect == "" {
				expect = "8"
			}
			if !want[name] || seen[name] || kind != expect && kind != "0" {
				x.Errorf("entry %q of type %s", name, kind)
			}
			seen[name] = true
		}
	}
	n, e := x.ReadDirent(fd, make([]byte, 1000))
	if n != 0 || e != 0 {
		x.Errorf("at the end: %d, %v", n, e)
	}
	x.Seek(fd, 0, 0)
	_, e = x.ReadDirent(fd, make([]byte, 10))
	x.is("into 10 bytes", e, syscall.EINVAL)
	file := x.open("d/file-with-a-longer-name-1", rdonly)
	defer x.Close(file)
	_, e = x.ReadDirent(file, make([]byte, 1000))
	x.is("of a file", e, syscall.ENOTDIR)
	_, e = x.Read(fd, make([]byte, 1000))
	x.is("read a directory", e, syscall.EISDIR)
	x.seekBack(fd)
}

// seekBack goes to a position that an entry has given, and finds the same
// entries behind it.
func (x *exam) seekBack(fd int) {
	x.Seek(fd, 0, 0)
	buf := make([]byte, 1000)
	_, e := x.ReadDirent(fd, buf)
	x.ok("getdents", e)
	pos, e := x.Seek(fd, 0, 1)
	x.ok("position", e)
	a, b := make([]byte, 1000), make([]byte, 1000)
	n, e := x.ReadDirent(fd, a)
	x.ok("getdents", e)
	_, e = x.Seek(fd, pos, 0)
	x.ok("seek", e)
	m, e := x.ReadDirent(fd, b)
	x.ok("getdents", e)
	if n != m || string(a) != string(b) {
		x.Error("other entries follow after a seek to the same position")
	}
	for _, off := range []int64{-1, -pos - 1, math.MinInt64} {
		for whence := range 2 {
			if off == -pos-1 && whence == 0 {
				continue
			}
			x.Seek(fd, pos, 0)
			_, e := x.Seek(fd, off-int64(whence)*pos, whence)
			x.is(fmt.Sprintf("seek %d, %d", off, whence), e, syscall.EINVAL)
			if at, e := x.Seek(fd, 0, 1); at != pos || e != 0 {
				x.Errorf("at %d, %v after a seek that failed; want %d", at, e, pos)
			}
		}
	}
}

// testReadDirFromMany lists a directory while others make and remove names, and
// whole directories, in it.
func testReadDirFromMany(x *exam) {
	const kept, lists = 50, 30
	x.lay("d/")
	for i := range kept {
		x.lay(fmt.Sprintf("d/keep%d", i))
	}
	stop := make(chan bool)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("d/x%d-%d", g, i%20)
				x.mkdir(name)
				x.tryOpen(name+"/f", wronly|creat)
				x.unlink(name + "/f")
				x.rmdir(name)
			}
		})
	}
	for range lists {
		seen := map[string]int{}
		fd := x.open("d", rdonly)
		list, e := readNames(x, fd, 300)
		if x.Close(fd); e != 0 {
			x.Errorf("getdents: %v", e)
		}
		for _, line := range list {
			name := line[:strings.LastIndexByte(line, ' ')]
			seen[name]++
			x.Fstatat(cwd, "d/"+name, new(syscall.Stat_t), nofollow) // so that attributes are asked for
		}
		for i := range kept {
			if name := fmt.Sprintf("keep%d", i); seen[name] != 1 {
				x.Errorf("%s was listed %d times", name, seen[name])
			}
		}
	}
	close(stop)
	wg.Wait()
	if n := len(x.names("d")); n != kept {
		x.Errorf("%d names are left", n)
	}
}

func testReadDirWhileRemoving(x *exam) {
	const files = 500
	x.ok("mkdir", x.mkdir("d"))
	for i := range files {
		x.is("create", x.tryOpen(fmt.Sprintf("d/f%03d", i), wronly|creat), 0)
	}
	fd := x.open("d", rdonly)
	defer x.Close(fd)
	// As RemoveAll does it: read some, remove them, go on reading.
	seen := make(map[string]bool)
	buf := make([]byte, 700)
	for {
		n, e := x.ReadDirent(fd, buf)
		x.ok("getdents", e)
		if n == 0 {
			break
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if seen[name] {
				x.Errorf("%s came twice", name)
			}
			seen[name] = true
			x.ok("unlink", x.unlink("d/"+name))
		}
	}
	if len(seen) != files {
		x.Errorf("%d entries were read, want %d", len(seen), files)
	}
	x.ok("rmdir", x.rmdir("d"))
}

func testRemovedDirectory(x *exam) {
	x.lay("d/", "d/e/")
	fd := x.open("d/e", rdonly)
	defer x.Close(fd)
	x.ok("chdir", x.Chdir("d/e"))
	x.ok("rmdir", x.rmdir("/d/e"))
	_, e := x.Getcwd()
	x.is("getcwd", e, syscall.ENOENT)
	x.is("mkdir in it", x.mkdir("x"), syscall.ENOENT)
	x.is("create in it", x.tryOpen("x", wronly|creat), syscall.ENOENT)
	x.is("open in it", x.tryOpen("x", rdonly), syscall.ENOENT)
	x.is("open .", x.tryOpen(".", rdonly), 0)
	_, e = x.ReadDirent(fd, make([]byte, 1000))
	x.is("read it", e, syscall.ENOENT)
	if st := x.fstat(fd); st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		x.Errorf("mode %o", st.Mode)
	}
	x.ok("chdir ..", x.Chdir(".."))
	if dir, e := x.Getcwd(); dir != "/d" || e != 0 {
		x.Errorf("getcwd: %q, %v", dir, e)
	}
}
