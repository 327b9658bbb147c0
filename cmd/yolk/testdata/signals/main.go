// Command signals does with signals what its first argument says, and tells when it
// is ready for them.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	got := make(chan os.Signal, 100)
	switch os.Args[1] {
	case "default":
	case "notify": // until SIGTERM
		signal.Notify(got)
	case "ignore":
		signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
		signal.Notify(got, syscall.SIGUSR1)
	case "deaf": // until it is ended
		signal.Notify(got)
	case "spin":
		go func() {
			for i := 0; ; i++ {
				sink = i
			}
		}()
	case "self":
		sendToSelf(got)
		return
	case "kill": // itself by a signal
		n, _ := strconv.Atoi(os.Args[2])
		self, _ := os.FindProcess(os.Getpid())
		fmt.Println(self.Signal(syscall.Signal(n)))
		return
	case "stop": // like a job of a shell
		signal.Notify(got, syscall.SIGCONT)
		fmt.Println("ready")
		for {
			start := time.Now()
			if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
				fmt.Println(err)
			}
			fmt.Printf("%v after %d s, %d s off\n", <-got, int(time.Since(start).Seconds()), abs(time.Since(start)-wall(start)))
		}
	}
	fmt.Println("ready")
	for {
		select {
		case s := <-got:
			fmt.Println("got", s)
			if s == syscall.SIGTERM && os.Args[1] != "deaf" {
				os.Exit(3)
			}
		case <-time.After(time.Hour):
		}
	}
}

var sink int

// wall is the time since start by the wall clock.
func wall(start time.Time) time.Duration { return time.Now().Round(0).Sub(start.Round(0)) }

func abs(d time.Duration) int { return int(max(d, -d).Seconds()) }

// sendToSelf sends signals by all the ways that there are.
func sendToSelf(got chan os.Signal) {
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGUSR2)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		fmt.Println(err)
	}
	for i, send := range []func() error{
		func() error { return syscall.Kill(os.Getpid(), syscall.SIGUSR1) },
		func() error { return self.Signal(syscall.SIGUSR2) },
		func() error { return syscall.Kill(0, syscall.SIGUSR1) },
		func() error { return syscall.Kill(-syscall.Getpgrp(), syscall.SIGUSR1) },
	} {
		if err := send(); err != nil {
			fmt.Println(i, err)
			continue
		}
		fmt.Println(i, <-got)
	}
	fmt.Println(syscall.Kill(12345, 0), self.Signal(syscall.Signal(0)))
}
