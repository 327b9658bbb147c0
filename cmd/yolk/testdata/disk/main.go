// Program disk writes its argument to places on /dev/vda where no block begins, makes a
// part of it zero, reads what is on the second partition of /dev/vdb, and says what it
// sees of both.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

const (
	blkROGet     = 0x125e
	blkSSZGet    = 0x1268
	blkGetSize64 = 0x80081272
)

func main() {
	log.SetFlags(0)
	f, err := os.OpenFile("/dev/vda", os.O_RDWR, 0)
	must(err)
	end, err := f.Seek(0, io.SeekEnd)
	must(err)
	i, err := f.Stat()
	must(err)
	fmt.Println("vda", end, control(f, blkGetSize64), control(f, blkSSZGet), control(f, blkROGet), i.Mode())

	// From many goroutines, parts of the same blocks.
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			_, err := f.WriteAt(bytes.Repeat([]byte(os.Args[1]), 10), int64(100+n*10*len(os.Args[1])))
			must(err)
		})
	}
	wg.Wait()
	big := bytes.Repeat([]byte("0123456789abcdef"), 3<<16)
	_, err = f.WriteAt(big, 4<<20)
	must(err)
	got := make([]byte, len(big))
	_, err = f.ReadAt(got, 4<<20)
	must(err)
	if !bytes.Equal(got, big) {
		log.Fatal("3 MiB are read other than they were written")
	}
	must(syscall.Fallocate(int(f.Fd()), 0x10, 4<<20, 1<<20)) // FALLOC_FL_ZERO_RANGE
	_, err = f.WriteAt([]byte("x"), end)
	fmt.Println(err)
	must(f.Sync())
	must(f.Close())

	b, err := os.ReadFile("/dev/vdb2")
	must(err)
	fmt.Printf("vdb2 %d %q\n", len(b), bytes.TrimRight(b, "\x00"))
	_, err = os.OpenFile("/dev/vdb", os.O_RDWR, 0)
	fmt.Println(err)
	must(syscall.Mknod("/tmp/a", syscall.S_IFBLK|0o600, 254<<8))
	a, err := os.Open("/tmp/a")
	must(err)
	b = make([]byte, 5)
	_, err = a.ReadAt(b, 100)
	must(err)
	fmt.Printf("%s\n", b)
	b, err = os.ReadFile("/proc/partitions")
	must(err)
	fmt.Printf("%s", b)
}

func control(f *os.File, cmd uintptr) (n uint64) {
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), cmd, uintptr(unsafe.Pointer(&n))); e != 0 {
		log.Fatal(e)
	}
	return n
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
