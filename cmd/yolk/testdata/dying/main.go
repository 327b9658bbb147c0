// Program dying tells what becomes of calls when a file server ends. It has the
// share that dies at /dies, another one at /lives, and reads from standard input
// when to go on.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

var problems int

func check(what string, err error, want error) {
	if want == nil && err == nil || want != nil && errors.Is(err, want) {
		return
	}
	problems++
	fmt.Printf("%s: %v, want %v\n", what, err, want)
}

func open(name string) error {
	f, err := os.Open(name)
	if err == nil {
		f.Close()
	}
	return err
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	f, err := os.OpenFile("/dies/file", os.O_RDWR, 0)
	check("open", err, nil)
	other, err := os.OpenFile("/dies/large", os.O_RDWR, 0)
	check("open", err, nil)
	dir, err := os.Open("/dies")
	check("open", err, nil)
	known, err := os.Open("/dies/known")
	check("open", err, nil)
	knownData, err := io.ReadAll(known)
	check("read", err, nil)
	fmt.Println("ready")
	in.Scan() // the server does not answer any more

	calls := map[string]func() error{
		"read":     func() error { _, err := other.ReadAt(make([]byte, 4<<20), 0); return err },
		"write":    func() error { _, err := other.WriteAt(make([]byte, 3<<20), 1<<20); return err },
		"open":     func() error { return open("/dies/another") },
		"create":   func() error { return os.WriteFile("/dies/new", []byte("x"), 0o644) },
		"mkdir":    func() error { return os.Mkdir(fmt.Sprint("/dies/newdir", time.Now().UnixNano()), 0o755) },
		"rename":   func() error { return os.Rename("/dies/from", fmt.Sprint("/dies/to", time.Now().UnixNano())) },
		"remove":   func() error { return os.Remove("/dies/file") },
		"truncate": func() error { return f.Truncate(5) },
		"fsync":    func() error { return f.Sync() },
		"statfs":   func() error { return syscall.Statfs("/dies", new(syscall.Statfs_t)) },
		"list":     func() error { _, err := dir.ReadDir(-1); return err },
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	pending := 0
	for name, call := range calls {
		pending++
		wg.Go(func() {
			err := call()
			mu.Lock()
			defer mu.Unlock()
			pending--
			if err != nil || os.Args[2] == "stopped" {
				check("pending "+name, err, syscall.EIO)
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // more makes the test stricter, less does no harm
	mu.Lock()
	fmt.Println("pending", pending)
	mu.Unlock()
	in.Scan() // the server is dead
	wg.Wait()
	fmt.Println("ended")

	// A busy host may have them take longer, but not time after time.
	for begun, quick := time.Now(), false; !quick; {
		start := time.Now()
		for name, call := range calls {
			check("later "+name, call(), syscall.EIO)
		}
		for i := range 1000 {
			_, err := os.Stat(fmt.Sprint("/dies/unknown", i))
			check("later stat", err, syscall.EIO)
		}
		quick = time.Since(start) < time.Second
		if time.Since(begun) > time.Minute {
			check("later calls", fmt.Errorf("%v", time.Since(start)), nil)
			break
		}
	}
	// What is remembered may still be there; it must be right then.
	data := make([]byte, len(knownData))
	if n, err := known.ReadAt(data, 0); err == nil {
		if string(data) != string(knownData) {
			check("known data", fmt.Errorf("%d, %q", n, data), nil)
		}
	} else {
		check("known data", err, syscall.EIO)
	}
	known.Close()
	f.Close()
	other.Close()
	dir.Close()
	check("sync", syscall.Fsync(1), syscall.EINVAL)
	syscall.Sync()

	check("tmpfs", os.WriteFile("/tmp/x", []byte("x"), 0o644), nil)
	check("other share", os.WriteFile("/lives/written", []byte("it lives"), 0o644), nil)
	if data, err := os.ReadFile("/lives/file"); string(data) != "file" {
		check("other share", fmt.Errorf("%q, %v", data, err), nil)
	}
	check("unmount", syscall.Unmount("/dies", 0), nil)
	check("mkdir", os.MkdirAll("/dies", 0o755), nil)
	check("mount", syscall.Mount("", "/dies", "tmpfs", 0, ""), nil)
	check("use", os.WriteFile("/dies/x", nil, 0o644), nil)
	if problems > 0 {
		os.Exit(1)
	}
	fmt.Println("good")
	os.Exit(7)
}
