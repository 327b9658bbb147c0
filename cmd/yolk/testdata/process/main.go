// Command process asks for what programs ask about their process, and prints what is
// the same on any Linux.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread() // some of it is the thread's
	start := time.Now()
	work()
	var u unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_SELF, &u)
	fmt.Println("rusage", err, u.Utime.Nano()+u.Stime.Nano() > 0, time.Duration(u.Utime.Nano()) < 100*time.Since(start)+time.Minute, u.Maxrss > 500, u.Maxrss < 1<<30)

	var si unix.Sysinfo_t
	err = unix.Sysinfo(&si)
	fmt.Println("sysinfo", err, si.Totalram*uint64(si.Unit) > 32<<20, si.Freeram < si.Totalram, si.Procs > 0)

	var un unix.Utsname
	err = unix.Uname(&un)
	var major, minor int
	n, _ := fmt.Sscanf(unix.ByteSliceToString(un.Release[:]), "%d.%d", &major, &minor)
	fmt.Println("uname", err, unix.ByteSliceToString(un.Sysname[:]), unix.ByteSliceToString(un.Machine[:]), n, major >= 5)

	var cpus unix.CPUSet
	err = unix.SchedGetaffinity(0, &cpus)
	fmt.Println("affinity", err, cpus.Count() == runtime.NumCPU())
	fmt.Println("set affinity", unix.SchedSetaffinity(0, &cpus), unix.SchedSetaffinity(0, &unix.CPUSet{}))

	for _, clock := range []int32{unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_PROCESS_CPUTIME_ID, unix.CLOCK_THREAD_CPUTIME_ID, unix.CLOCK_BOOTTIME, 99} {
		var a, b, res unix.Timespec
		err := unix.ClockGettime(clock, &a)
		work()
		unix.ClockGettime(clock, &b)
		fmt.Println("clock", clock, err, b.Nano() >= a.Nano(), unix.ClockGetres(clock, &res), res.Nano() > 0)
	}
	before := time.Now()
	err = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &unix.Timespec{Nsec: 20e6}, nil)
	fmt.Println("nanosleep", err, time.Since(before) >= 20*time.Millisecond)
	var tms unix.Tms
	ticks, err := unix.Times(&tms)
	fmt.Println("times", ticks != 0, err)
	var tv unix.Timeval
	fmt.Println("gettimeofday", unix.Gettimeofday(&tv), time.Since(time.Unix(tv.Unix())) < time.Minute)
	fmt.Println("adjtimex", func() error { _, err := unix.Adjtimex(&unix.Timex{}); return err }())

	fmt.Println("name", setName("worker-of-a-long-name"), getName())
	limits()

	old, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	err2 := unix.Setpriority(unix.PRIO_PROCESS, 0, 5)
	nice, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	fmt.Println("priority", old > 0, err, err2, nice)
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	fmt.Println("capget", unix.Capget(&head, &data[0]))
	fmt.Println("ids", os.Getuid() == os.Geteuid(), unix.Setresuid(-1, -1, -1))
	_, err = unix.Getpgid(1 << 23)
	fmt.Println("getpgid", err)
	_, err = unix.Wait4(-1, nil, unix.WNOHANG, nil)
	fmt.Println("wait4", err)
	signals()
	search()
	auxv()
	if len(os.Args) > 1 { // there are no processes
		err := exec.Command("/bin/sh").Run()
		fmt.Fprintln(os.Stderr, "EXEC", err, errors.Is(err, errors.ErrUnsupported))
		err = exec.Command("/proc/self/exe").Start()
		fmt.Fprintln(os.Stderr, "EXEC", err, errors.Is(err, syscall.ENOSYS))
		for _, num := range []uintptr{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_EXECVE, unix.SYS_EXECVEAT} {
			_, _, err := unix.RawSyscall(num, 0, 0, 0)
			fmt.Fprintln(os.Stderr, "NUMBER", int(err))
		}
	}
}

var sink int

func work() {
	for i := range 3_000_000 {
		sink += i
	}
}

func setName(name string) error {
	b, _ := unix.BytePtrFromString(name)
	return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
}

func getName() string {
	b := new([16]byte)
	if err := unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0); err != nil {
		return err.Error()
	}
	return strings.TrimRight(string(b[:]), "\x00")
}

// limits lowers that of open files until there can be no further one.
func limits() {
	was := unix.Rlimit{}
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was)
	fmt.Println("getrlimit", err, was.Cur > 64, was.Cur <= was.Max)
	fmt.Println("setrlimit", unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 20, Max: was.Max}))
	var files []*os.File
	for len(files) < 100 {
		f, err := os.Open("/dev/null")
		if err != nil {
			fmt.Println("open", errors.Is(err, syscall.EMFILE), len(files) > 3)
			break
		}
		files = append(files, f)
	}
	for _, f := range files {
		f.Close()
	}
	now := unix.Rlimit{}
	fmt.Println("prlimit", unix.Prlimit(0, unix.RLIMIT_NOFILE, &was, &now), now.Cur)
}

// signals blocks one, and takes it from behind the mask.
func signals() {
	set := new(unix.Sigset_t)
	set.Val[0] = 1 << (unix.SIGUSR1 - 1)
	fmt.Println("mask", unix.PthreadSigmask(unix.SIG_BLOCK, set, nil), unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGUSR1))
	var pending [8]byte
	_, _, e := unix.Syscall(unix.SYS_RT_SIGPENDING, uintptr(unsafe.Pointer(&pending)), 8, 0)
	fmt.Println("pending", e, pending)
	info := new([128]byte)
	n, _, e := unix.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set.Val[0])), uintptr(unsafe.Pointer(info)), 0, 8, 0, 0)
	fmt.Println("wait", n, e, info[0], int8(info[8]))
	now := new(unix.Timespec)
	_, _, e = unix.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set.Val[0])), 0, uintptr(unsafe.Pointer(now)), 8, 0, 0)
	fmt.Println("none", e)
	waitMasked(set)
	fmt.Println("unmask", unix.PthreadSigmask(unix.SIG_UNBLOCK, set, nil))
}

// waitMasked waits under masks, where the thread holds SIGUSR1 back.
func waitMasked(set *unix.Sigset_t) {
	got := make(chan os.Signal, 10)
	signal.Notify(got, unix.SIGUSR1)
	defer signal.Stop(got)
	p := make([]int, 2)
	fmt.Println("pipe", unix.Pipe(p))
	send := func() error { return unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGUSR1) }
	poll := []unix.PollFd{{Fd: int32(p[0]), Events: unix.POLLIN}}
	fds := &unix.FdSet{}
	soon := &unix.Timespec{Nsec: 1e6}
	ep, err := unix.EpollCreate1(0)
	fmt.Println("epoll", err, unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, p[0], &unix.EpollEvent{Events: unix.EPOLLIN}))
	wait := map[string]func(ts *unix.Timespec, mask *unix.Sigset_t) (int, error){
		"ppoll": func(ts *unix.Timespec, mask *unix.Sigset_t) (int, error) {
			n, _, e := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll[0])), 1, uintptr(unsafe.Pointer(ts)), uintptr(unsafe.Pointer(mask)), 8, 0)
			return int(n), e
		},
		"pselect": func(ts *unix.Timespec, mask *unix.Sigset_t) (int, error) {
			fds.Zero()
			fds.Set(p[0])
			return unix.Pselect(p[0]+1, fds, nil, nil, ts, mask)
		},
		"epoll_pwait": func(ts *unix.Timespec, mask *unix.Sigset_t) (int, error) {
			ms := -1
			if ts != nil {
				ms = 1
			}
			events := make([]unix.EpollEvent, 1)
			n, _, e := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(&events[0])), 1, uintptr(ms), uintptr(unsafe.Pointer(mask)), 8)
			return int(n), e
		},
	}
	for _, name := range []string{"ppoll", "pselect", "epoll_pwait"} {
		show := func(what string, n int, err error) {
			var pending [8]byte
			unix.Syscall(unix.SYS_RT_SIGPENDING, uintptr(unsafe.Pointer(&pending)), 8, 0)
			fmt.Println(name, what, n, err, pending[1])
		}
		fmt.Println(name, send())
		n, err := wait[name](soon, set)
		show("held back", n, err)
		n, err = wait[name](nil, &unix.Sigset_t{})
		show("let through", n, err)
		fmt.Println(<-got)
		send()
		unix.Write(p[1], []byte{1})
		n, err = wait[name](nil, &unix.Sigset_t{})
		show("ready", n, err)
		unix.Read(p[0], make([]byte, 1))
		n, err = wait[name](nil, &unix.Sigset_t{})
		show("then", n, err)
		fmt.Println(<-got)
	}
}

// search looks for programs, which are found whether they can be started or not.
func search() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.WriteFile(dir+"/runs", nil, 0o755)
	os.WriteFile(dir+"/text", nil, 0o644)
	os.Mkdir(dir+"/dir", 0o755)
	os.Setenv("PATH", "/nowhere:"+dir)
	os.Chdir(dir)
	for _, name := range []string{"runs", "text", "dir", "none", "./runs", "./text", "./dir", dir + "/none", ""} {
		path, err := exec.LookPath(name)
		fmt.Println("look", strings.ReplaceAll(fmt.Sprint(path, " ", err), dir, "D"), errors.Is(err, exec.ErrNotFound))
	}
	os.Setenv("PATH", ".")
	path, err := exec.LookPath("runs")
	fmt.Println("look", path, err, errors.Is(err, exec.ErrDot))
}

// auxv prints what is the same on any Linux of the auxiliary vector.
func auxv() {
	vector, err := unix.Auxv()
	fmt.Println("auxv", err)
	var file []byte
	for _, entry := range vector {
		for _, word := range entry {
			file = binary.NativeEndian.AppendUint64(file, uint64(word))
		}
		switch tag, value := entry[0], entry[1]; tag {
		case 4, 6, 17, 23: // AT_PHENT, AT_PAGESZ, AT_CLKTCK, AT_SECURE
			fmt.Println("auxv", tag, value)
		case 11: // AT_UID
			fmt.Println("uid", int(value) == os.Getuid())
		case 3: // AT_PHDR
			fmt.Println("phdr", *(*uint32)(unsafe.Pointer(value)) < 8)
		case 9: // AT_ENTRY
			fmt.Println("entry", value > 1<<20)
		case 16: // AT_HWCAP: SSE2
			fmt.Println("hwcap", value>>26&1)
		case 25: // AT_RANDOM
			fmt.Println("random", *(*[16]byte)(unsafe.Pointer(value)) != [16]byte{})
		case 15: // AT_PLATFORM
			fmt.Println("platform", unix.BytePtrToString((*byte)(unsafe.Pointer(value))))
		case 31: // AT_EXECFN
			fmt.Println("execfn", unix.BytePtrToString((*byte)(unsafe.Pointer(value))) != "")
		}
	}
	b, err := os.ReadFile("/proc/self/auxv")
	fmt.Println("auxv", err, bytes.HasPrefix(b, file), len(b) >= len(file)+16)
}
