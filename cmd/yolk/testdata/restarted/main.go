// Program restarted uses a share whose server is killed again and again, and
// started again. Its arguments are the share's tag, where it is mounted, and how
// often the server will be killed. It says "ready" when that may be done, and reads
// a line when it has been.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

func must(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func mustEIO(what string, err error) {
	if !errors.Is(err, syscall.EIO) {
		fail("%s: %v, want EIO", what, err)
	}
}

// patience is for what hangs.
const patience = time.Minute

// mount mounts the share, as soon as it has a server again.
func mount(tag, at string) {
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Mount(tag, at, "virtiofs", 0, "")
		if err == nil {
			return
		}
		mustEIO("mount", err)
		if time.Since(start) > patience {
			fail("no mount after %v: %v", patience, err)
		}
	}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	tag, base := os.Args[1], os.Args[2]
	rounds, err := strconv.Atoi(os.Args[3])
	must("rounds", err)
	var before []*os.File // of all rounds
	written := 0          // lines of the log that were written without an error
	for round := range rounds {
		if data, err := os.ReadFile(base + "/file"); string(data) != "file" {
			fail("round %d: %q, %v", round, data, err)
		}
		f, err := os.OpenFile(base+"/file", os.O_RDWR, 0)
		must("open", err)
		before = append(before, f)
		log, err := os.OpenFile(base+"/log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		must("open", err)
		ended := make(chan error)
		go func() {
			for {
				if _, err := fmt.Fprintf(log, "%d\n", written); err != nil {
					ended <- err
					return
				}
				written++
			}
		}()
		fmt.Println("ready")
		in.Scan()

		select {
		case err := <-ended:
			mustEIO("pending", err)
		case <-time.After(patience):
			fail("a write does not end")
		}
		for i, f := range before {
			_, err := f.WriteAt([]byte("lost"), 0)
			mustEIO(fmt.Sprintf("file of round %d", i), err)
			mustEIO(fmt.Sprintf("fsync of round %d", i), f.Sync())
		}
		log.Close()
		switch {
		case base == "/" || strings.HasPrefix(base, "/tmp/"): // the root stays where it is
			base = fmt.Sprint("/tmp/again", round)
			must("mkdir", os.Mkdir(base, 0o755))
		case round%2 == 0: // what is open keeps the old mount
			if err := syscall.Unmount(base, 0); err != syscall.EBUSY {
				fail("unmount: %v, want EBUSY", err)
			}
		default:
			f.Close()
			before = before[:round]
			must("unmount", syscall.Unmount(base, 0))
			before = append(before, before[0])
		}
		mount(tag, base)
		data, err := os.ReadFile(base + "/log")
		must("log", err)
		lines := strings.Fields(string(data))
		if len(lines) < written || len(lines) > written+1 {
			fail("round %d: %d lines, %d were written", round, len(lines), written)
		}
		for i, line := range lines {
			if line != strconv.Itoa(i) {
				fail("round %d: line %d is %q", round, i, line)
			}
		}
		written = len(lines) // the last one may have been written although its write failed
		for i, f := range before {
			_, err := f.WriteAt([]byte("lost"), 0)
			mustEIO(fmt.Sprintf("file of round %d, after the mount", i), err)
		}
	}
	fmt.Println("good")
	os.Exit(7)
}
