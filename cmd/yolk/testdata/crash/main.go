// Command crash ends in the way that its first argument says.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	c := make(chan int)
	go waits(c)
	c <- 0
	switch os.Args[1] {
	case "status":
		os.Exit(2)
	case "panic":
		panic("the reason")
	case "exception": // that Go has no panic for: UD2
		run([]byte{0x0f, 0x0b})
	case "silent": // a breakpoint without descriptors: XOR AX, AX; PUSH AX; PUSH AX; LIDT (SP); INT3
		run([]byte{0x48, 0x31, 0xc0, 0x50, 0x50, 0x0f, 0x01, 0x1c, 0x24, 0xcc})
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	}
	fmt.Println("ready")
	time.Sleep(24 * time.Hour) // it is no deadlock
}

// waits is found in traces of the goroutine that it waits in.
//
//go:noinline
func waits(c chan int) {
	<-c
	<-make(chan int)
}

// run runs instructions.
func run(code []byte) {
	m, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	copy(m, code)
	entry := &m[0]
	value := unsafe.Pointer(&entry)
	(*(*func())(unsafe.Pointer(&value)))()
}
