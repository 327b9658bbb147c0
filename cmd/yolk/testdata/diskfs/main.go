// Program diskfs reads and changes what is mounted on /data and /sq, and mounts a disk itself, which its
// argument names, else /dev/vda. It starts in a directory of a third one.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	disk := "/dev/vda"
	if len(os.Args) > 1 {
		disk = os.Args[1]
	}
	for _, n := range []string{"/data/hello.txt", "/sq/sub/x", "deeper/b"} {
		b, err := os.ReadFile(n)
		fmt.Printf("%q %v\n", b, err)
	}
	fmt.Println(os.WriteFile("/data/new", nil, 0o644), os.WriteFile("/sq/new", []byte("y"), 0o644))
	fmt.Println(syscall.Mount(disk, "/tmp", "squashfs", syscall.MS_RDONLY, ""))
	fmt.Println(syscall.Mount("/dev/vdz", "/tmp", "squashfs", syscall.MS_RDONLY, ""))
	fmt.Println(syscall.Mount(disk, "/tmp", "ext4", syscall.MS_RDONLY, ""))
	b, err := os.ReadFile("/tmp/hello.txt")
	fmt.Printf("%q %v\n", b, err)
	numbers, err := os.ReadFile("../numbers")
	fmt.Println(len(numbers), err)
	_, err = os.Stat("/sq/new")
	fmt.Println(err)
}
