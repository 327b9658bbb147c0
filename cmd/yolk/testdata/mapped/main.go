// Program mapped stores into a mapped file and ends in the way that it is told.
package main

import (
	"bufio"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	f, err := os.OpenFile("/f", os.O_RDWR, 0)
	check(err)
	const both = unix.PROT_READ | unix.PROT_WRITE
	a, err := unix.Mmap(int(f.Fd()), 0, 3*4096, both, unix.MAP_SHARED)
	check(err)
	check(f.Close())
	in := bufio.NewReader(os.Stdin)
	store := func(text string) { copy(a[4096:], text) }
	switch os.Args[1] {
	case "return":
		store("returned")
	case "exit":
		store("exited")
		os.Exit(3)
	case "msync":
		store("synced")
		check(unix.Msync(a, unix.MS_SYNC))
		fmt.Println("stored")
		in.ReadString('\n')
		// The host has changed the first page.
		fmt.Printf("%q\n", a[:5])
		check(unix.Msync(a, unix.MS_SYNC|unix.MS_INVALIDATE))
		fmt.Printf("%q %q\n", a[:5], a[4096:4102])
	case "wait":
		store("waited")
		fmt.Println("stored")
		in.ReadString('\n')
	case "fault":
		a[2*4096] = 1
	}
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
