// Program streams does to its standard streams what its first argument says.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	n := 0
	if len(os.Args) > 2 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	switch os.Args[1] {
	case "order": // n lines by turns, and a panic
		for i := range n {
			switch i % 3 {
			case 0:
				fmt.Fprintln(os.Stdout, "line", i)
			case 1:
				fmt.Fprintln(os.Stderr, "line", i)
			case 2:
				println("line", i)
			}
		}
		panic("the end")
	case "errors": // n long lines on standard error, and a panic
		for i := range n {
			fmt.Fprintf(os.Stderr, "line %d %0200d\n", i, 0)
		}
		panic("the end")
	case "much": // n MiB, ended at once
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		for range n {
			os.Stdout.Write(data)
		}
		os.Exit(9)
	case "large": // the same in one write
		os.Stdout.Write(bytes.Repeat([]byte("0123456789abcdef"), n<<16))
		os.Exit(9)
	case "trace": // a long trace
		for range n {
			go func() { select {} }()
		}
		time.Sleep(100 * time.Millisecond)
		panic("the end")
	case "yes":
		for {
			if _, err := fmt.Println("y"); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(3)
			}
		}
	case "ignore", "notify": // SIGPIPE
		got := make(chan os.Signal, 1)
		if os.Args[1] == "ignore" {
			signal.Ignore(syscall.SIGPIPE)
		} else {
			signal.Notify(got, syscall.SIGPIPE)
		}
		for {
			if _, err := fmt.Println("y"); err != nil {
				_, again := fmt.Println("y")
				fmt.Fprintln(os.Stderr, errors.Is(err, syscall.EPIPE), errors.Is(again, syscall.EPIPE))
				break
			}
		}
		if os.Args[1] == "notify" {
			fmt.Fprintln(os.Stderr, <-got)
		}
		os.Exit(5)
	case "once":
		fmt.Println("a line")
	case "handled":
		for {
			if _, err := fmt.Println("y"); err != nil {
				return
			}
		}
	case "late": // its output is closed while it does something else
		os.Stdin.Read(make([]byte, 1))
		for range 600 {
			time.Sleep(100 * time.Millisecond)
			fmt.Println("one line")
		}
		os.Exit(6)
	case "input":
		data, err := io.ReadAll(os.Stdin)
		fmt.Println(len(data), err)
	case "access": // what can be done with each stream, to the file $REPORT
		report := ""
		for fd := range 3 {
			flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
			_, werr := syscall.Write(fd, []byte("w"))
			read, rerr := 0, error(nil)
			if fd == 0 || flags&syscall.O_ACCMODE != syscall.O_WRONLY {
				read, rerr = syscall.Read(fd, make([]byte, 5))
			}
			report += fmt.Sprintf("%d: access mode %d, write %v, read %d %v\n", fd, flags&syscall.O_ACCMODE, werr, read, rerr)
		}
		if err := os.WriteFile(os.Getenv("REPORT"), []byte(report), 0o644); err != nil {
			panic(err)
		}
	case "slow": // a writer that has to wait while others go on
		var ticks atomic.Int64
		go func() {
			for {
				time.Sleep(time.Millisecond)
				ticks.Add(1)
			}
		}()
		os.Stdout.Write(bytes.Repeat([]byte("0123456789abcdef"), n<<16))
		fmt.Fprintln(os.Stderr, ticks.Load())
	}
}
