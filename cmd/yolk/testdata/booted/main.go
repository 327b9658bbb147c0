// Command booted says what a machine has that firmware has booted from an image: its
// processors, its disk, on which it writes and which it reads, and its network, where it
// asks for a line. Its argument is the address to ask. It ends with status 7.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"
)

func main() {
	fmt.Printf("args %q\n", os.Args)
	fmt.Printf("env %q\n", os.Getenv("MACHINE"))
	fmt.Printf("cpus %d\n", runtime.NumCPU())
	for _, name := range []string{"/dev/vda3", "/dev/vda"} {
		if _, err := os.Stat(name); err == nil {
			fmt.Printf("disk %s: %v\n", name, write(name))
			break
		}
	}
	if interfaces, err := net.Interfaces(); err == nil && len(interfaces) > 1 {
		fmt.Printf("network: %v\n", ask(os.Args[1]))
	}
	fmt.Println("done")
	os.Exit(7)
}

// write writes to a disk's beginning, and reads that.
func write(name string) error {
	const text = "written by the program\n"
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	b := make([]byte, len(text))
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != text {
		return fmt.Errorf("read %q: %w", b, err)
	}
	return nil
}

// ask prints the line that a server sends.
func ask(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	fmt.Printf("asked %q\n", line)
	return err
}
