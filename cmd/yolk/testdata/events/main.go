// Events waits for descriptors in all the ways that golang.org/x/sys/unix has, and
// prints what came. It prints the same on Linux.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"epoll", epoll}, {"blocking", blocking}, {"eventfd", eventfd}, {"timerfd", timerfd},
		{"pipe", pipe}, {"memfd", memfd}, {"vectors", vectors}, {"select", selects}, {"names", names}, {"file", file},
	} {
		fmt.Println("#", test.name)
		if err := test.run(); err != nil {
			fmt.Println(test.name, err)
			os.Exit(1)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pipes(flags int) (r, w int) {
	var p [2]int
	if err := unix.Pipe2(p[:], flags); err != nil {
		panic(err)
	}
	return p[0], p[1]
}

// wait prints the events of an epoll, with names for the descriptors.
func wait(ep, msec int, names map[int]string) error {
	events := make([]unix.EpollEvent, 8)
	n, err := unix.EpollWait(ep, events, msec)
	if err != nil {
		return err
	}
	fmt.Print(n)
	for _, e := range events[:n] {
		fmt.Printf(" %s %#x %d", names[int(e.Fd)], e.Events, e.Pad)
	}
	fmt.Println()
	return nil
}

func epoll() error {
	ep := must(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	defer unix.Close(ep)
	r, w := pipes(unix.O_NONBLOCK)
	names := map[int]string{r: "r", w: "w"}
	add := func(fd int, events uint32) error {
		return unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd), Pad: 7})
	}
	if err := errors.Join(add(r, unix.EPOLLIN|unix.EPOLLET), add(w, unix.EPOLLOUT|unix.EPOLLONESHOT)); err != nil {
		return err
	}
	fmt.Println(add(r, unix.EPOLLIN), unix.EpollCtl(ep, unix.EPOLL_CTL_DEL, must(unix.Eventfd(0, 0)), nil))
	for range 2 {
		if err := wait(ep, 0, names); err != nil {
			return err
		}
	}
	unix.Write(w, []byte("abc"))
	for range 2 {
		if err := wait(ep, 0, names); err != nil {
			return err
		}
	}
	unix.Close(w)
	if err := wait(ep, -1, names); err != nil {
		return err
	}
	unix.Close(r)
	return wait(ep, 1, names)
}

// blocking has goroutines wake each other.
func blocking() error {
	ep := must(unix.EpollCreate1(0))
	r, w := pipes(0)
	unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, r, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(r)})
	go func() {
		time.Sleep(20 * time.Millisecond)
		unix.Write(w, []byte("x"))
	}()
	if err := wait(ep, -1, map[int]string{r: "r"}); err != nil {
		return err
	}
	start := time.Now()
	unix.Read(r, make([]byte, 9))
	err := wait(ep, 30, nil)
	fmt.Println(time.Since(start) >= 30*time.Millisecond)
	return err
}

func eventfd() error {
	fd := must(unix.Eventfd(3, unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE))
	f := os.NewFile(uintptr(fd), "events")
	defer f.Close()
	b := make([]byte, 8)
	for range 3 {
		fmt.Print(must(f.Read(b)), b[0], " ")
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		f.Write(binary.NativeEndian.AppendUint64(nil, 5))
	}()
	fmt.Println(must(f.Read(b)), b[0])
	for range 4 {
		f.Read(b)
	}
	f.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := f.Read(b)
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	_, err = unix.Read(fd, b)
	fmt.Println(err)
	return nil
}

func timerfd() error {
	fd := must(unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC))
	every := unix.NsecToTimespec(10e6)
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	b := make([]byte, 8)
	total, start := uint64(0), time.Now()
	for total < 5 {
		if _, err := unix.Read(fd, b); err != nil {
			return err
		}
		total += binary.NativeEndian.Uint64(b)
	}
	fmt.Println(time.Since(start) >= 45*time.Millisecond)
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	at := unix.NsecToTimespec(now.Nano() + 20e6)
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &unix.ItimerSpec{Value: at}, nil); err != nil {
		return err
	}
	start = time.Now()
	n, err := unix.Read(fd, b)
	took := time.Since(start)
	fmt.Println(n, err, binary.NativeEndian.Uint64(b), took > 10*time.Millisecond && took < 10*time.Second)
	var left unix.ItimerSpec
	err = unix.TimerfdGettime(fd, &left)
	fmt.Println(left, err)
	return unix.Close(fd)
}

func pipe() error {
	r, w := pipes(unix.O_NONBLOCK)
	fmt.Println(unix.FcntlInt(uintptr(w), unix.F_GETPIPE_SZ, 0))
	fmt.Println(unix.FcntlInt(uintptr(w), unix.F_SETPIPE_SZ, 5000))
	fmt.Println(unix.Write(w, make([]byte, 10000)))
	fmt.Println(unix.IoctlGetInt(r, unix.TIOCINQ))
	r2, w2 := pipes(unix.O_NONBLOCK)
	fmt.Println(unix.Tee(r, w2, 5000, 0))
	fmt.Println(unix.Splice(r, nil, w2, nil, 1<<20, unix.SPLICE_F_NONBLOCK))
	fmt.Println(unix.IoctlGetInt(r2, unix.TIOCINQ))
	return nil
}

func memfd() error {
	fd := must(unix.MemfdCreate("name", unix.MFD_ALLOW_SEALING))
	fmt.Println(unix.Write(fd, []byte("hello, world")))
	fmt.Println(unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK))
	fmt.Println(unix.Ftruncate(fd, 3), unix.Ftruncate(fd, 30))
	m, err := unix.Mmap(fd, 0, 12, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE)
	fmt.Println(string(m), err)
	m[0] = 'H'
	unix.Munmap(m)
	fmt.Println(unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE))
	_, err = unix.Pwrite(fd, []byte("x"), 0)
	b := make([]byte, 20)
	n, _ := unix.Pread(fd, b, 0)
	fmt.Println(err, string(b[:n]))
	r, w := pipes(0)
	off := int64(7)
	fmt.Println(unix.Sendfile(w, fd, &off, 100))
	n, err = unix.Read(r, b)
	fmt.Println(string(b[:n]), err, off)
	again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err
	}
	all, err := io.ReadAll(again)
	fmt.Println(string(all), err)
	return nil
}

func vectors() error {
	r, w := pipes(0)
	fmt.Println(unix.Writev(w, [][]byte{[]byte("ab"), nil, []byte("cde")}))
	a, b := make([]byte, 1), make([]byte, 9)
	fmt.Println(unix.Readv(r, [][]byte{a, b}))
	fmt.Println(string(a), string(b[:4]))
	return nil
}

func selects() error {
	r, w := pipes(0)
	var in, out unix.FdSet
	in.Set(r)
	out.Set(w)
	tv := unix.NsecToTimeval(1e9)
	n, err := unix.Select(max(r, w)+1, &in, &out, nil, &tv)
	fmt.Println(n, err, in.IsSet(r), out.IsSet(w))
	unix.Write(w, []byte("x"))
	in.Set(r)
	n, err = unix.Pselect(r+1, &in, nil, nil, nil, nil)
	fmt.Println(n, err, in.IsSet(r))
	fds := []unix.PollFd{{Fd: int32(r), Events: unix.POLLIN}, {Fd: -1}}
	ts := unix.NsecToTimespec(1e6)
	n, err = unix.Ppoll(fds, &ts, nil)
	fmt.Println(n, err, fds[0].Revents)
	in.Set(r)
	in.Set(1000)
	_, err = unix.Select(1001, &in, nil, nil, &tv)
	fmt.Println(err)
	return nil
}

func names() error {
	signals := unix.Sigset_t{}
	for _, fd := range []int{
		must(unix.EpollCreate1(0)), must(unix.Eventfd(0, 0)), must(unix.TimerfdCreate(0, 0)),
		must(unix.Signalfd(-1, &signals, unix.SFD_NONBLOCK)), must(unix.MemfdCreate("x", 0)),
	} {
		var st unix.Stat_t
		var s unix.Statfs_t
		err := errors.Join(unix.Fstat(fd, &st), unix.Fstatfs(fd, &s))
		name, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		fmt.Printf("%s %o %d %x %#x %v\n", name, st.Mode, st.Size, s.Type, flags&^unix.O_LARGEFILE, err)
		unix.Close(fd)
	}
	return nil
}

// file: what is always ready is not for epoll.
func file() error {
	f, err := os.CreateTemp("", "events")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	ep := must(unix.EpollCreate1(0))
	event := unix.EpollEvent{Events: unix.EPOLLIN}
	fmt.Println(unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, int(f.Fd()), &event), unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, ep, &event))
	_, _, e := syscall.Syscall6(unix.SYS_EPOLL_CTL, uintptr(ep), unix.EPOLL_CTL_ADD, f.Fd(), 0, 0, 0)
	_, _, e2 := syscall.Syscall6(unix.SYS_EPOLL_WAIT, uintptr(ep), uintptr(unsafe.Pointer(&event)), 0, 0, 0, 0)
	fmt.Println(e, e2)
	return nil
}
