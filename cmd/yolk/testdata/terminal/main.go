// Command terminal does what programs do with a terminal, by its first argument.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	how := ""
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	switch how {
	case "kinds":
		kinds()
	case "lines":
		lines()
	case "raw":
		raw()
	case "sizes":
		sizes()
	case "deaf":
		signal.Ignore(syscall.SIGINT)
		setRaw()
		fmt.Print("ready\r\n")
		time.Sleep(time.Hour)
	}
}

// kinds says what the standard streams are.
func kinds() {
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		info, err := f.Stat()
		if err != nil {
			fmt.Println(err)
			continue
		}
		var size winsize
		terminal := ioctl(f, syscall.TIOCGWINSZ, unsafe.Pointer(&size)) == 0
		fmt.Printf("%v %d %t\n", info.Mode(), info.Size(), terminal)
	}
}

type winsize struct{ row, col, x, y uint16 }

func ioctl(f *os.File, req uintptr, arg unsafe.Pointer) syscall.Errno {
	_, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), req, uintptr(arg))
	return e
}

func showSize(what string) {
	var size winsize
	ioctl(os.Stdout, syscall.TIOCGWINSZ, unsafe.Pointer(&size))
	fmt.Printf("%s %dx%d\n", what, size.row, size.col)
}

// lines reads lines, and tells of signals.
func lines() {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGTSTP)
	go func() {
		for s := range signals {
			showSize(s.String())
		}
	}()
	showSize("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Printf("line %q\n", in.Text())
	}
	fmt.Println("end", in.Err())
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(tty, "more?")
	more, err := bufio.NewReader(tty).ReadString('\n')
	fmt.Printf("more %q %v\n", more, err)
	println("by the runtime")
}

// sizes prints all the time, and the size when it has changed, until the window has 10 rows.
func sizes() {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, syscall.SIGWINCH)
	showSize("ready")
	for n := 0; ; n++ {
		select {
		case <-signals:
			var size winsize
			ioctl(os.Stdout, syscall.TIOCGWINSZ, unsafe.Pointer(&size))
			fmt.Printf("size %dx%d\n", size.row, size.col)
			if size.row == 10 {
				return
			}
		case <-time.After(5 * time.Millisecond):
			if _, err := fmt.Println(n); err != nil {
				os.Exit(1)
			}
		}
	}
}

func setRaw() (restore func()) {
	var old syscall.Termios
	ioctl(os.Stdin, syscall.TCGETS, unsafe.Pointer(&old))
	m := old
	m.Lflag &^= syscall.ICANON | syscall.ECHO | syscall.ISIG | syscall.IEXTEN
	m.Iflag &^= syscall.ICRNL | syscall.IXON
	m.Oflag &^= syscall.OPOST
	ioctl(os.Stdin, syscall.TCSETS, unsafe.Pointer(&m))
	return func() { ioctl(os.Stdin, syscall.TCSETS, unsafe.Pointer(&old)) }
}

// raw reads keys until a q.
func raw() {
	restore := setRaw()
	fmt.Print("ready\r\n")
	buf := make([]byte, 1)
	for buf[0] != 'q' {
		if n, err := os.Stdin.Read(buf); n != 1 {
			fmt.Println(n, err)
			break
		}
		fmt.Printf("key %q\r\n", buf)
	}
	restore()
	fmt.Println("cooked")
	buf[0] = 0
	os.Stdin.Read(buf)
	fmt.Printf("read %q\n", buf)
	time.Sleep(time.Hour)
}
