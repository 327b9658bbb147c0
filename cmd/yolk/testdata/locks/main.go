// Program locks takes and gives back locks of the file that it is given, as the
// lines on its standard input say, and prints how each line ended. A line may
// begin with a number, which says which of its open files of that name is meant.
package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Commands of locks that belong to the open file (linux/fcntl.h).
const (
	ofdGetlk  = 36
	ofdSetlk  = 37
	ofdSetlkw = 38
)

var commands = map[string]int{
	"getlk": syscall.F_GETLK, "setlk": syscall.F_SETLK, "setlkw": syscall.F_SETLKW,
	"ofd-getlk": ofdGetlk, "ofd-setlk": ofdSetlk, "ofd-setlkw": ofdSetlkw,
}

var kinds = map[string]int{
	"read": syscall.F_RDLCK, "write": syscall.F_WRLCK, "unlock": syscall.F_UNLCK,
	"shared": syscall.LOCK_SH, "exclusive": syscall.LOCK_EX, "none": syscall.LOCK_UN,
}

func main() {
	path := os.Args[1]
	files := make(map[int]*os.File)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var n int
		var command, kind string
		var start, length int64
		fmt.Sscan(in.Text(), &n, &command, &kind, &start, &length)
		f := files[n]
		if f == nil {
			var err error
			if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			files[n] = f
		}
		switch command {
		case "flock":
			fmt.Println(syscall.Flock(int(f.Fd()), kinds[kind]|syscall.LOCK_NB))
		case "flock-wait":
			fmt.Println(meanwhile(func() error { return syscall.Flock(int(f.Fd()), kinds[kind]) }))
		case "close":
			fmt.Println(f.Close())
			delete(files, n)
		default:
			lock := syscall.Flock_t{Type: int16(kinds[kind]), Start: start, Len: length}
			call := func() error { return syscall.FcntlFlock(f.Fd(), commands[command], &lock) }
			var err error
			switch commands[command] {
			case syscall.F_SETLKW, ofdSetlkw:
				err = meanwhile(call)
			default:
				err = call()
			}
			if commands[command] == syscall.F_GETLK || commands[command] == ofdGetlk {
				fmt.Println(lock.Type, lock.Start, lock.Len, err)
			} else {
				fmt.Println(err)
			}
		}
	}
}

// meanwhile says "waiting" when wait has taken a while and the file system has
// answered other calls, and returns what wait returns.
func meanwhile(wait func() error) error {
	done := make(chan error)
	go func() { done <- wait() }()
	select {
	case err := <-done:
		return fmt.Errorf("did not wait: %w", err)
	case <-time.After(200 * time.Millisecond):
	}
	for i := range 100 {
		os.Stat(fmt.Sprint("/nothing", i))
	}
	fmt.Println("waiting")
	return <-done
}
