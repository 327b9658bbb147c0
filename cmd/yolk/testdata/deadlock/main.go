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

	"golang.org/x/sys/unix"
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
		p := pipe()
		_, err := unix.Poll([]unix.PollFd{{Fd: p[0], Events: unix.POLLIN}, {Fd: -1}}, -1)
		must(err)
	},
	"epolled": func() {
		p := pipe()
		waitEpoll(int(p[0]), nil)
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
		p := pipe()
		go func() { time.Sleep(2 * time.Second); unix.Write(int(p[1]), []byte("x")) }()
		_, err := unix.Poll([]unix.PollFd{{Fd: p[0], Events: unix.POLLIN}}, -1)
		must(err)
	},
	"epolledlater": func() { // what can come is added while it waits
		p := pipe()
		waitEpoll(int(p[0]), func(set int) {
			t, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, 0)
			must(err)
			must(unix.TimerfdSettime(t, 0, &unix.ItimerSpec{Value: unix.Timespec{Sec: 2}}, nil))
			must(unix.EpollCtl(set, unix.EPOLL_CTL_ADD, t, &unix.EpollEvent{Events: unix.EPOLLIN}))
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

func pipe() [2]int32 {
	p := make([]int, 2)
	must(unix.Pipe(p))
	return [2]int32{int32(p[0]), int32(p[1])}
}

// waitEpoll waits for fd, and whatever another goroutine adds to the set meanwhile.
func waitEpoll(fd int, meanwhile func(set int)) {
	set, err := unix.EpollCreate1(0)
	must(err)
	must(unix.EpollCtl(set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN}))
	if meanwhile != nil {
		go func() { time.Sleep(time.Second); meanwhile(set) }()
	}
	_, err = unix.EpollWait(set, make([]unix.EpollEvent, 1), -1)
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
