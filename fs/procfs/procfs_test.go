package procfs_test

import (
	"sort"
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

const cwd = syscalls.AT_FDCWD

func newKernel(t *testing.T) (*syscalls.Kernel, *procfs.FS) {
	p := procfs.New()
	v, _, problems := fs.NewRoot(fs.RootConfig{
		Own:   []fs.Own{{Name: "proc", FS: p}},
		Empty: func() fs.FileSystem { return tmpfs.New(tmpfs.Limits{}) },
	})
	if problems != nil {
		t.Fatal(problems)
	}
	return syscalls.New(v), p
}

func text(t *testing.T, k *syscalls.Kernel, path string) string {
	t.Helper()
	fd, e := k.Openat(cwd, path, syscall.O_RDONLY, 0)
	if e != 0 {
		t.Fatalf("%s: %v", path, e)
	}
	defer k.Close(fd)
	var b strings.Builder
	buf := make([]byte, 7)
	for {
		n, e := k.Read(fd, buf)
		if e != 0 {
			t.Fatalf("%s: %v", path, e)
		}
		if n == 0 {
			return b.String()
		}
		b.Write(buf[:n])
	}
}

func names(t *testing.T, k *syscalls.Kernel, path string) string {
	t.Helper()
	fd, e := k.Openat(cwd, path, syscall.O_RDONLY, 0)
	if e != 0 {
		t.Fatalf("%s: %v", path, e)
	}
	defer k.Close(fd)
	var all []string
	buf := make([]byte, 64)
	for {
		n, e := k.ReadDirent(fd, buf)
		if e != 0 {
			t.Fatalf("%s: %v", path, e)
		}
		if n == 0 {
			sort.Strings(all)
			return strings.Join(all, " ")
		}
		_, _, all = syscall.ParseDirent(buf[:n], -1, all)
	}
}

func readlink(k *syscalls.Kernel, path string) string {
	buf := make([]byte, 200)
	n, e := k.Readlinkat(cwd, path, buf)
	if e != 0 {
		return "[" + e.Error() + "]"
	}
	return string(buf[:n])
}

func TestSnapshots(t *testing.T) {
	k, p := newKernel(t)
	count := 0
	p.Register("yolk/count", func(b []byte) []byte {
		count++
		return append(b, strings.Repeat(strconv.Itoa(count), 20)...)
	})
	fd, e := k.Openat(cwd, "/proc/yolk/count", syscall.O_RDONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	if s := text(t, k, "/proc/yolk/count"); s != strings.Repeat("2", 20) {
		t.Errorf("the second open gave %q", s)
	}
	buf := make([]byte, 30)
	if n, _ := k.Pread(fd, buf, 15); string(buf[:n]) != "11111" {
		t.Errorf("the first open gives %q", buf[:n])
	}
	p.Register("later", procfs.Line("here"))
	if s := names(t, k, "/proc"); s != "later yolk" {
		t.Errorf("/proc has %q", s)
	}
	if s := text(t, k, "/proc/later"); s != "here\n" {
		t.Errorf("read %q", s)
	}
	p.Register("later", procfs.Line("replaced"))
	if s := text(t, k, "/proc/later"); s != "replaced\n" {
		t.Errorf("read %q", s)
	}
	for what, e := range map[string]syscall.Errno{
		"write":  func() syscall.Errno { _, e := k.Openat(cwd, "/proc/later", syscall.O_RDWR, 0); return e }(),
		"unlink": k.Unlinkat(cwd, "/proc/later", 0),
		"mkdir":  k.Mkdirat(cwd, "/proc/d", 0o755),
		"chmod":  k.Fchmodat(cwd, "/proc/later", 0o777, 0),
		"rename": k.Renameat2(cwd, "/proc/later", cwd, "/proc/now", 0),
	} {
		if e != syscall.EPERM && e != syscall.EACCES {
			t.Errorf("%s: %v", what, e)
		}
	}
	var st syscall.Stat_t
	if e := k.Fstatat(cwd, "/proc/yolk", &st, 0); e != 0 || st.Mode != syscall.S_IFDIR|0o555 || st.Nlink != 2 {
		t.Errorf("mode %o, %d links, %v", st.Mode, st.Nlink, e)
	}
}

func TestSelf(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	if s := text(t, k, "/proc/self/cmdline"); s != "prog\x00-v\x00\x00" {
		t.Errorf("cmdline %q", s)
	}
	if s := text(t, k, "/proc/self/environ"); s != "A=b\x00" {
		t.Errorf("environ %q", s)
	}
	if e := k.Mkdirat(cwd, "/d", 0o755); e != 0 {
		t.Fatal(e)
	}
	k.Chdir("/d")
	fd, _ := k.Openat(cwd, "f", syscall.O_RDWR|syscall.O_CREAT, 0o644)
	k.Write(fd, []byte("text"))
	for path, want := range map[string]string{
		"/proc/self/cwd": "/d", "/proc/self/root": "/", "/proc/self/fd/0": "/d/f", "/proc/self/fd/1": "[no such file or directory]",
		"/proc/self/fd/00": "[no such file or directory]", "/proc/self/fd/x": "[no such file or directory]",
	} {
		if s := readlink(k, path); s != want {
			t.Errorf("%s → %q, want %q", path, s, want)
		}
	}
	if s := text(t, k, "/proc/self/cwd/f"); s != "text" {
		t.Errorf("by the working directory: %q", s)
	}
	// The link leads to the file, whatever its name.
	k.Unlinkat(cwd, "f", 0)
	if s := text(t, k, "/proc/self/fd/0"); s != "text" {
		t.Errorf("by the descriptor of a removed file: %q", s)
	}
	if s := readlink(k, "/proc/self/fd/0"); s != "/d/f (deleted)" {
		t.Errorf("the link to a removed file: %q", s)
	}
	if s := names(t, k, "/proc/self/fd"); s != "0 1" { // 1 reads the directory
		t.Errorf("descriptors %q", s)
	}
	var pipe [2]int
	k.Pipe2(&pipe, 0)
	if s := readlink(k, "/proc/self/fd/1"); !strings.HasPrefix(s, "pipe:[") {
		t.Errorf("the link to a pipe: %q", s)
	}
	again, e := k.Openat(cwd, "/proc/self/fd/2", syscall.O_WRONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	k.Write(again, []byte("by another"))
	buf := make([]byte, 20)
	if n, _ := k.Read(pipe[0], buf); string(buf[:n]) != "by another" {
		t.Errorf("through the pipe: %q", buf[:n])
	}
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		make func([]byte) []byte
		want string
	}{
		"mounts": {procfs.Mounts(func() []fs.MountInfo {
			return []fs.MountInfo{{Source: "root", Path: "/", Type: "virtiofs"}, {Source: "a b", Path: "/x\ty\\z", Type: "tmpfs", ReadOnly: true}}
		}), "root / virtiofs rw 0 0\na\\040b /x\\011y\\134z tmpfs ro 0 0\n"},
		"uptime": {procfs.Uptime(func() (up, idle time.Duration) { return 61*time.Second + 239*time.Millisecond, 5 * time.Millisecond }),
			"61.23 0.00\n"},
		"filesystems": {procfs.Filesystems(func() []string { return []string{"tmpfs", "virtiofs"} }), "nodev\ttmpfs\nnodev\tvirtiofs\n"},
		"meminfo": {procfs.Meminfo(func() procfs.Memory {
			return procfs.Memory{Total: 64 << 20, Free: 1 << 20, Available: 2 << 20, Cached: 3 << 10, Heap: 4 << 10}
		}), `MemTotal:          65536 kB
MemFree:            1024 kB
MemAvailable:       2048 kB
Buffers:               0 kB
Cached:                3 kB
SwapCached:            0 kB
Active:                7 kB
Inactive:              0 kB
Active(anon):          4 kB
Inactive(anon):        0 kB
Active(file):          3 kB
Inactive(file):        0 kB
Unevictable:           0 kB
Mlocked:               0 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Dirty:                 0 kB
Writeback:             0 kB
AnonPages:             4 kB
Mapped:                0 kB
Shmem:                 0 kB
KReclaimable:          0 kB
Slab:                  0 kB
SReclaimable:          0 kB
SUnreclaim:            0 kB
KernelStack:           0 kB
PageTables:            0 kB
NFS_Unstable:          0 kB
Bounce:                0 kB
WritebackTmp:          0 kB
CommitLimit:       65536 kB
Committed_AS:          4 kB
VmallocTotal:          0 kB
VmallocUsed:           0 kB
VmallocChunk:          0 kB
AnonHugePages:         0 kB
ShmemHugePages:        0 kB
Hugepagesize:       2048 kB
`},
		"mountinfo": {procfs.Mountinfo(func() []fs.MountInfo {
			return []fs.MountInfo{{ID: 1, Source: "root", Path: "/", Type: "virtiofs", Dev: 1}, {ID: 1, Dir: true, Path: "/d"},
				{ID: 7, Parent: 1, Source: "a b", Path: "/x y", Type: "tmpfs", ReadOnly: true, Dev: 0x12345}}
		}), "1 0 0:1 / / rw - virtiofs root rw\n7 1 291:69 / /x\\040y ro - tmpfs a\\040b ro\n"},

		"cpuinfo": {procfs.Cpuinfo(func() []procfs.CPU {
			return []procfs.CPU{{"V", 1, 2, 3, "N", 2_500_000_000, "fpu sse", 40, 48}}
		}), `processor	: 0
vendor_id	: V
cpu family	: 1
model		: 2
model name	: N
stepping	: 3
cpu MHz		: 2500.000
flags		: fpu sse
address sizes	: 40 bits physical, 48 bits virtual

`},
		"stat": {procfs.StatFile(func() procfs.Stat {
			return procfs.Stat{CPUs: []procfs.CPUTime{{User: time.Second, System: 2 * time.Second, Idle: 30 * time.Millisecond, IRQ: 40 * time.Millisecond}, {User: time.Second}},
				Interrupts: 5, Switches: 6, Boot: time.Unix(7, 0)}
		}), `cpu  200 0 200 3 0 4 0 0 0 0
cpu0 100 0 200 3 0 4 0 0 0 0
cpu1 100 0 0 0 0 0 0 0 0 0
intr 5
ctxt 6
btime 7
processes 1
procs_running 1
procs_blocked 0
`},
		"interrupts": {procfs.Interrupts(2, func() []procfs.Interrupt {
			return []procfs.Interrupt{{"24", []uint64{1, 22}, "MSI-X virtio0"}, {"LOC", []uint64{333, 4}, "timer"}}
		}), `           CPU0       CPU1
 24:          1         22   MSI-X virtio0
LOC:        333          4   timer
`},
	} {
		if got := string(c.make(nil)); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", name, got, c.want)
		}
	}
}
