package procfs_test

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// newSelf is a process with every number distinct.
func newSelf(k *syscalls.Kernel) *procfs.Self {
	return &procfs.Self{
		Process: k, Pid: 1,
		Args:       func() []string { return []string{"prog", "-v", ""} },
		Env:        func() []string { return []string{"A=b"} },
		Auxv:       func() []uintptr { return []uintptr{6, 4096, 25, 0x1234} },
		Name:       func() string { return "a (b" },
		SetName:    k.SetThreadName,
		Executable: func() (string, *fs.Dentry) { return "", nil },
		Usage: func() procfs.Usage {
			return procfs.Usage{User: 11 * time.Second, System: 12 * time.Second, CPUs: 2, Umask: 0o27, UID: [3]uint32{1, 2, 3}, GID: [3]uint32{4, 5, 6}, Groups: []uint32{7, 8}, Capabilities: procfs.Capabilities{1, 2, 0x1ff, 1 << 40}, NoNewPrivs: true, FDSize: 64, Switches: 13,
				ReadCalls: 14, WriteCalls: 15, ReadChars: 16, WriteChars: 17,
				Memory: procfs.ProcessMemory{Virtual: 90 << 20, Resident: 80 << 20, Peak: 85 << 20, Text: 2 << 20, File: 5 << 20, Data: 70 << 20, Stack: 1 << 20, PageTables: 3 << 20, MinorFaults: 18}}
		},
		Regions: func() []procfs.Region {
			return []procfs.Region{
				{Start: 0x201000, End: 0x300000, Perm: "r-xp", Offset: 0x1000, Dev: 5, Ino: 9, Name: "/prog", Resident: 0xff000},
				{Start: 0x300000, End: 0x301000, Perm: "rw-p", Offset: 0x100000, Dev: 5, Ino: 9, Name: "/prog", Resident: 0x1000},
				{Start: 0x400000000000, End: 0x400000002000, Perm: "rw-s", Name: "/x\ny", Resident: 0x1000},
			}
		},
		Limits: func() []procfs.Limit {
			return []procfs.Limit{{"Max cpu time", procfs.NoLimit, procfs.NoLimit, "seconds"}, {"Max open files", 1024, 4096, "files"}, {"Max nice priority", 0, 0, ""}}
		},
		Mounts: k.VFS().Mounts, Internal: k.VFS().Internal,
	}
}

func TestProcess(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	fd, _ := k.Openat(cwd, "/f", syscall.O_RDWR|syscall.O_CREAT|syscall.O_APPEND|syscall.O_CLOEXEC, 0o644)
	k.Write(fd, []byte("four"))
	for path, want := range map[string]string{
		"maps": `00201000-00300000 r-xp 00001000 00:05 9                                  /prog
00300000-00301000 rw-p 00100000 00:05 9                                  /prog
400000000000-400000002000 rw-s 00000000 00:00 0                          /x\012y
`,
		"auxv": "\x06\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00" +
			"\x19\x00\x00\x00\x00\x00\x00\x00\x34\x12\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 16),
		"statm": "23040 20480 1280 512 0 17920 0\n",
		"stat": "1 (a (b) R 0 1 1 0 -1 4194560 18 0 0 0 1100 1200 0 0 20 0 1 0 0 94371840 20480 18446744073709551615 2101248 3145728 0 0 0 0 0 0 0 0 0 0 17 " +
			"0 0 0 0 0 0 3145728 3149824 3149824 0 0 0 0 0\n",
		"limits": `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 4096                 files     
Max nice priority         0                    0                              
`,
		"io":        "rchar: 16\nwchar: 17\nsyscr: 14\nsyscw: 15\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
		"mountinfo": "1 0 0:1 / / rw - tmpfs tmpfs rw\n2 1 0:2 / /proc rw - proc proc rw\n",
		"fdinfo/0":  "pos:\t4\nflags:\t02102002\nmnt_id:\t1\nino:\t2\n",
		"comm":      "a (b\n",
	} {
		for _, dir := range []string{"/proc/self/", "/proc/1/", "/proc/thread-self/", "/proc/self/task/1/"} {
			if got := text(t, k, dir+path); got != want {
				t.Errorf("%s%s:\n%q\nwant\n%q", dir, path, got, want)
			}
		}
	}
	for _, line := range []string{"Uid:\t1\t2\t3\t2\nGid:\t4\t5\t6\t5\nFDSize:\t64\nGroups:\t7 8 \n", "Umask:\t0027\n", "VmRSS:\t   81920 kB\n",
		"RssFile:\t    5120 kB\n", "RssAnon:\t   76800 kB\n", "Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\n", "voluntary_ctxt_switches:\t13\n",
		"CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\nCapEff:\t00000000000001ff\nCapBnd:\t0000010000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"} {
		if s := text(t, k, "/proc/self/status"); !strings.Contains(s, line) {
			t.Errorf("status lacks %q:\n%s", line, s)
		}
	}
	if s := names(t, k, "/proc/self/fdinfo"); s != "0 1" { // 1 reads the directory
		t.Errorf("fdinfo has %q", s)
	}
	for path, want := range map[string]string{
		"/proc/self": "1", "/proc/thread-self": "1/task/1", "/proc/self/exe": "[no such file or directory]",
	} {
		if s := readlink(k, path); s != want {
			t.Errorf("%s → %q, want %q", path, s, want)
		}
	}
	var st syscall.Stat_t
	if e := k.Fstatat(cwd, "/proc/self/fd/0", &st, syscalls.AT_SYMLINK_NOFOLLOW); e != 0 || st.Mode != syscall.S_IFLNK|0o700 || st.Size != 64 {
		t.Errorf("the link of a descriptor: %o, %d bytes, %v", st.Mode, st.Size, e)
	}
}

func TestSettings(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	write := func(path, text string) syscall.Errno {
		fd, e := k.Openat(cwd, path, syscall.O_WRONLY|syscall.O_TRUNC, 0)
		if e != 0 {
			t.Fatalf("%s: %v", path, e)
		}
		defer k.Close(fd)
		_, e = k.Write(fd, []byte(text))
		return e
	}
	if e := write("/proc/self/comm", "a name that is too long\n"); e != 0 || k.ThreadName("prog") != "a name that is " {
		t.Errorf("comm: %q, %v", k.ThreadName("prog"), e)
	}
	for _, bad := range []string{"x", "1001", "-1001"} {
		if e := write("/proc/self/oom_score_adj", bad); e != syscall.EINVAL {
			t.Errorf("oom_score_adj %q: %v", bad, e)
		}
	}
	if e := write("/proc/self/oom_score_adj", "-17\n"); e != 0 || text(t, k, "/proc/thread-self/oom_score_adj") != "-17\n" {
		t.Errorf("oom_score_adj: %q, %v", text(t, k, "/proc/thread-self/oom_score_adj"), e)
	}
	if e := write("/proc/self/comm", strings.Repeat("x", 5000)); e != syscall.EINVAL {
		t.Errorf("5000 bytes: %v", e)
	}
}

// TestLabels: what has no name says what it is, as on Linux.
func TestLabels(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	var pipe [2]int
	k.Pipe2(&pipe, 0)
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return tmpfs.New(tmpfs.Limits{}), nil }
	event, e := k.Eventfd2(0, 0)
	if e != 0 {
		t.Fatal(e)
	}
	mem, e := k.MemfdCreate("name", 0)
	if e != 0 {
		t.Fatal(e)
	}
	for fd, want := range map[int]string{pipe[0]: "pipe:[", pipe[1]: "pipe:[", event: "anon_inode:[eventfd]", mem: "/memfd:name (deleted)"} {
		if s := readlink(k, "/proc/self/fd/"+strconv.Itoa(fd)); !strings.HasPrefix(s, want) {
			t.Errorf("descriptor %d → %q, want %q", fd, s, want)
		}
	}
	// A removed file is opened once more by its descriptor.
	fd, _ := k.Openat(cwd, "/f", syscall.O_RDWR|syscall.O_CREAT, 0o600)
	k.Write(fd, []byte("kept"))
	k.Unlinkat(cwd, "/f", 0)
	if s := readlink(k, "/proc/self/fd/"+strconv.Itoa(fd)); s != "/f (deleted)" {
		t.Errorf("a removed file → %q", s)
	}
	if s := text(t, k, "/proc/self/fd/"+strconv.Itoa(fd)); s != "kept" {
		t.Errorf("a removed file has %q", s)
	}
}

// TestLikeLinux compares names and their order with those of the kernel that the
// test runs on.
func TestLikeLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no other /proc to compare with")
	}
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	p.Register("meminfo", procfs.Meminfo(func() procfs.Memory { return procfs.Memory{} }))
	p.Register("vmstat", procfs.Vmstat(func() procfs.Memory { return procfs.Memory{} }))
	p.Register("loadavg", procfs.Loadavg(&procfs.Load{Times: func() (up, busy time.Duration) { return time.Hour, time.Minute }}, 1))
	p.RegisterEmpty()
	host := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Logf("not compared: %v", err)
		}
		return string(b)
	}
	// The first word of each line, in Linux's order. Those that only other
	// versions of it have, neither side needs.
	for _, path := range []string{"/proc/self/status", "/proc/self/io", "/proc/self/smaps_rollup", "/proc/meminfo"} {
		theirs := keys(host(path))
		last := -1
		for _, key := range keys(text(t, k, path)) {
			i := slices.Index(theirs, key)
			if i >= 0 && i < last {
				t.Errorf("%s: %s comes too late", path, key)
			}
			last = max(last, i)
		}
		ours := 0
		for _, key := range theirs {
			if slices.Contains(keys(text(t, k, path)), key) {
				ours++
			}
		}
		if len(theirs) > 0 && ours*10 < len(theirs)*6 {
			t.Errorf("%s: %d of %d lines", path, ours, len(theirs))
		}
	}
	// As many words in a line.
	for _, path := range []string{"/proc/self/stat", "/proc/self/statm", "/proc/self/schedstat", "/proc/loadavg"} {
		theirs, ours := host(path), text(t, k, path)
		ours = strings.ReplaceAll(ours, "(a (b)", "(ab)")
		if n, m := len(strings.Fields(theirs)), len(strings.Fields(ours)); theirs != "" && n != m {
			t.Errorf("%s: %d words, Linux has %d", path, m, n)
		}
	}
	// The same first line.
	for _, path := range []string{"/proc/self/limits", "/proc/self/uid_map", "/proc/swaps", "/proc/cgroups",
		"/proc/self/net/dev", "/proc/self/net/tcp", "/proc/self/net/tcp6", "/proc/self/net/udp", "/proc/self/net/udp6",
		"/proc/self/net/unix", "/proc/self/net/route", "/proc/self/net/arp", "/proc/self/net/raw", "/proc/self/net/raw6",
		"/proc/self/net/icmp", "/proc/self/net/icmp6", "/proc/self/net/udplite", "/proc/self/net/udplite6"} {
		theirs, _, _ := strings.Cut(host(path), "\n")
		if ours, _, _ := strings.Cut(text(t, k, path), "\n"); theirs != "" && strings.TrimSpace(ours) != strings.TrimSpace(theirs) {
			t.Errorf("%s begins with\n%q\nLinux's\n%q", path, ours, theirs)
		}
	}
}

// TestCgroupsAreMounted: a hierarchy of control groups that a process is said to be in is
// mounted, for libraries that look for limits take its files to be there.
func TestCgroupsAreMounted(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	mounts := text(t, k, "/proc/self/mountinfo")
	if !strings.Contains(mounts, " - ") {
		t.Fatalf("mountinfo is %q", mounts)
	}
	for line := range strings.Lines(text(t, k, "/proc/self/cgroup")) {
		kind := " - cgroup "
		if strings.HasPrefix(line, "0::") {
			kind = " - cgroup2 "
		}
		if !strings.Contains(mounts, kind) {
			t.Errorf("the process is in %q, and nothing of type%sis mounted:\n%s", line, strings.TrimPrefix(kind, " -"), mounts)
		}
	}
}

// TestNetworkTables: tables of counters have as many values as names, which are Linux's,
// in its order. All protocols are there but for types of messages, which Linux has if
// there were such, and Multipath TCP.
func TestNetworkTables(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	for _, path := range []string{"/proc/self/net/snmp", "/proc/self/net/netstat"} {
		theirs, err := os.ReadFile(path)
		if err != nil {
			t.Skip(err)
		}
		names := func(text string) (protocols []string, all map[string][]string) {
			all = make(map[string][]string)
			lines := strings.Split(strings.TrimSpace(text), "\n")
			for i := 0; i+1 < len(lines); i += 2 {
				f, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
				if len(f) != len(values) || f[0] != values[0] {
					t.Errorf("%s: %d names and %d values of %s", path, len(f), len(values), f[0])
				}
				protocols, all[f[0]] = append(protocols, f[0]), f[1:]
			}
			return protocols, all
		}
		want, linux := names(string(theirs))
		want = slices.DeleteFunc(want, func(p string) bool { return p == "IcmpMsg:" || p == "MPTcpExt:" })
		got, ours := names(text(t, k, path))
		for _, protocol := range want {
			if !slices.Contains(got, protocol) {
				t.Errorf("%s has %v, on Linux %v", path, got, want)
			}
		}
		for protocol, list := range ours {
			if linux[protocol] == nil {
				continue // of another version
			}
			at := 0
			for _, name := range list {
				i := slices.Index(linux[protocol][at:], name)
				if i < 0 {
					t.Errorf("%s: Linux has no %s %s, or before others", path, protocol, name)
					break
				}
				at += i + 1
			}
		}
	}
}

// keys are the first words of the lines.
func keys(text string) (list []string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 && !strings.Contains(f[0], "-") {
			list = append(list, f[0])
		}
	}
	return list
}

// TestLoad: averages follow what the processors did since they were last asked.
func TestLoad(t *testing.T) {
	var up, busy time.Duration
	l := &procfs.Load{Times: func() (time.Duration, time.Duration) { return up, busy }}
	near := func(what string, got, want float64) {
		if got < want-0.01 || got > want+0.01 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("at the start", l.Averages()[0], 0)
	up, busy = time.Minute, 2*time.Minute // two processors, busy all the time
	near("after a minute", l.Averages()[0], 2*(1-0.3679))
	near("asked again", l.Averages()[0], 2*(1-0.3679))
	near("over 15 minutes", l.Averages()[2], 2*(1-0.9355))
	up += time.Hour // idle
	near("after an hour", l.Averages()[0], 0)
	near("over 15 minutes, after an hour", l.Averages()[2], 2*(1-0.9355)*0.0183)
}

// TestReread: who keeps a file open and reads it from its beginning gets news.
func TestReread(t *testing.T) {
	k, p := newKernel(t)
	n := byte('0')
	p.Register("n", func(b []byte) []byte { n++; return append(b, n, n) })
	fd, e := k.Openat(cwd, "/proc/n", syscall.O_RDONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	buf := make([]byte, 1)
	got := ""
	for _, off := range []int64{0, 1, 0, 1, 1, 0} {
		k.Pread(fd, buf, off)
		got += string(buf)
	}
	if got != "112223" {
		t.Errorf("read %s", got)
	}
}

// TestRegisterOnUse: what nobody looks at is not filled.
func TestRegisterOnUse(t *testing.T) {
	k, p := newKernel(t)
	times := 0
	p.RegisterOnUse(func() {
		times++
		p.RegisterLine("a", "x")
	})
	if k.VFS().Mounts(); times != 0 {
		t.Error("filled by nothing")
	}
	if s := names(t, k, "/proc"); s != "a" || text(t, k, "/proc/a") != "x\n" || times != 1 {
		t.Errorf("%q, filled %d times", s, times)
	}
}
