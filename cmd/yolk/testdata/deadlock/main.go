// The program of TestGuestDeadlock waits in a way that its argument names: for what
// never comes, or for what does.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var kinds = map[string]func(){
	// Dead.
	"channel":    func() { <-make(chan int) },
	"nilchannel": func() { var c chan int; c <- 1 },
	"select":     func() { select {} },
	"mutex":      func() { var mu sync.Mutex; mu.Lock(); mu.Lock() },
	"waitgroup":  func() { var wg sync.WaitGroup; wg.Add(1); wg.Wait() },
	"cond":       func() { c := sync.NewCond(new(sync.Mutex)); c.L.Lock(); c.Wait() },
	"locked":     func() { runtime.LockOSThread(); <-make(chan int) },
	"threads": func() {
		for range 3 {
			go func() { runtime.LockOSThread(); select {} }()
		}
		select {}
	},
	"pair": func() {
		a, b := make(chan int), make(chan int)
		go func() { <-a; b <- 1 }()
		<-b
		a <- 1
	},
	"stopped": func() { time.NewTimer(time.Hour).Stop(); select {} },
	"unused":  func() { t := time.NewTimer(time.Hour); select {}; println(t) },
	"afterfiles": func() {
		for range 20 {
			must(os.WriteFile("/f", make([]byte, 100_000), 0o600))
			must(os.Remove("/f"))
		}
		select {}
	},
	"aftersleep": func() { time.Sleep(time.Second); select {} },
	"busythen": func() {
		go func() {
			for end := time.Now().Add(time.Second); time.Now().Before(end); {
			}
		}()
		select {}
	},
	"polled": func() {
		r, _ := pipe()
		poll(r)
	},
	"epolled": func() {
		r, _ := pipe()
		waitEpoll(r, nil)
	},
	"goexit": func() { go func() {}(); runtime.Goexit() },
	"goexitasleep": func() {
		go func() { select {} }()
		runtime.Goexit()
	},

	// Not dead: these end by themselves.
	"stdin": func() { fmt.Println(bufio.NewReader(os.Stdin).ReadString('\n')) },
	"stdingoroutine": func() {
		line := make(chan string)
		go func() {
			s, _ := bufio.NewReader(os.Stdin).ReadString('\n')
			line <- s
		}()
		fmt.Println(<-line)
	},
	"sleep":  func() { time.Sleep(2 * time.Second) },
	"timer":  func() { <-time.After(2 * time.Second) },
	"after":  func() { c := make(chan int); time.AfterFunc(2*time.Second, func() { close(c) }); <-c },
	"ticker": func() { t := time.NewTicker(time.Second); <-t.C; <-t.C },
	"deadline": func() {
		r, _, err := os.Pipe()
		must(err)
		r.SetReadDeadline(time.Now().Add(2 * time.Second))
		_, err = r.Read(make([]byte, 1))
		fmt.Println(err)
	},
	"pipe": func() {
		r, w, err := os.Pipe()
		must(err)
		go func() { time.Sleep(2 * time.Second); w.Write([]byte("x")) }()
		_, err = r.Read(make([]byte, 1))
		must(err)
	},
	"polledpipe": func() {
		r, w := pipe()
		go func() { time.Sleep(2 * time.Second); syscall.Write(w, []byte("x")) }()
		poll(r)
	},
	"epolledlater": func() { // what can come is added while it waits
		r, _ := pipe()
		waitEpoll(r, func(set int) {
			const clockMonotonic = 1
			t, _, e := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, 0, 0)
			mustCall(e)
			once := &[2]syscall.Timespec{1: {Sec: 2}}
			_, _, e = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, t, 0, uintptr(unsafe.Pointer(once)), 0, 0, 0)
			mustCall(e)
			must(syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, int(t), &syscall.EpollEvent{Events: syscall.EPOLLIN}))
			select {}
		})
	},
	"goexitsleep": func() {
		go func() { time.Sleep(2 * time.Second); fmt.Println("ends"); os.Exit(0) }()
		runtime.Goexit()
	},
	"kill": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		go func() { time.Sleep(2 * time.Second); syscall.Kill(os.Getpid(), syscall.SIGUSR1) }()
		<-c
	},
	"compute": func() {
		done := make(chan int)
		go func() {
			x := 1
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); x++ {
			}
			done <- x
		}()
		<-done
	},

	// Not dead: these wait for ever.
	"signal": func() { c := make(chan os.Signal, 1); signal.Notify(c, os.Interrupt); <-c },
	"accept": func() {
		l, err := net.Listen("tcp", "127.0.0.1:8080")
		must(err)
		l.Accept()
	},
	"sleeplong": func() { time.Sleep(time.Hour) },
}

func pipe() (r, w int) {
	p := make([]int, 2)
	must(syscall.Pipe(p))
	return p[0], p[1]
}

// pollFD is struct pollfd. What poll is given lies on the heap: a variable of a stack
// has the call made by another goroutine.
type pollFD struct {
	fd              int32
	events, revents int16
}

var polled [2]pollFD

// poll waits until fd can be read.
func poll(fd int) {
	const pollIn = 1
	polled = [2]pollFD{{fd: int32(fd), events: pollIn}, {fd: -1}}
	_, _, e := syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&polled)), 2, ^uintptr(0))
	mustCall(e)
}

func mustCall(e syscall.Errno) {
	if e != 0 {
		panic(e)
	}
}

var events [1]syscall.EpollEvent

// waitEpoll waits for fd, and whatever another goroutine adds to the set meanwhile.
func waitEpoll(fd int, meanwhile func(set int)) {
	set, err := syscall.EpollCreate1(0)
	must(err)
	must(syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	if meanwhile != nil {
		go func() { time.Sleep(time.Second); meanwhile(set) }()
	}
	_, err = syscall.EpollWait(set, events[:], -1)
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Println("waits")
	kinds[os.Args[1]]()
	fmt.Println("ends")
}
