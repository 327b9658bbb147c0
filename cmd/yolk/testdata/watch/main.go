// Program watch tells what inotify tells of the files in its arguments. It writes
// "watching" once it does, and then a line for each event: the file, the name in
// it, and what has happened. Lines of its input are what it does itself:
//
//	write NAME TEXT    writes a file as os.WriteFile does
//	replace NAME TEXT  writes another file, and renames it to NAME
//	mkdir, remove NAME
//	read NAME          writes "= TEXT"
//	add NAME           watches one more
//	exit
//
// After each it writes "done".
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

var (
	mu    sync.Mutex
	paths = map[int32]string{}
	fd    int
)

func main() {
	var err error
	if fd, err = syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK); err != nil {
		fail(err)
	}
	for _, path := range os.Args[1:] {
		add(path)
	}
	fmt.Println("watching")
	go events(os.NewFile(uintptr(fd), "inotify"))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		word := strings.SplitN(in.Text(), " ", 3)
		if word[0] == "exit" {
			break
		}
		if err := do(word); err != nil {
			fmt.Println("error", err)
		}
		fmt.Println("done")
	}
}

func fail(err error) {
	fmt.Println(err)
	os.Exit(1)
}

func add(path string) {
	wd, err := syscall.InotifyAddWatch(fd, path, syscall.IN_ALL_EVENTS&^(syscall.IN_ACCESS|syscall.IN_OPEN|syscall.IN_CLOSE_NOWRITE))
	if err != nil {
		fail(fmt.Errorf("%s: %w", path, err))
	}
	mu.Lock()
	paths[int32(wd)] = path
	mu.Unlock()
}

func do(word []string) error {
	name := strings.Join(word[1:2], "")
	text := []byte(strings.Join(word[2:], ""))
	switch word[0] {
	case "write":
		return os.WriteFile(name, text, 0o644)
	case "replace":
		if err := os.WriteFile(name+"~", text, 0o644); err != nil {
			return err
		}
		return os.Rename(name+"~", name)
	case "mkdir":
		return os.Mkdir(name, 0o755)
	case "remove":
		return os.Remove(name)
	case "read":
		b, err := os.ReadFile(name)
		fmt.Printf("= %s\n", b)
		return err
	case "add":
		add(name)
		return nil
	}
	return fmt.Errorf("%q?", word[0])
}

var bits = []struct {
	mask uint32
	name string
}{
	{syscall.IN_MODIFY, "modify"}, {syscall.IN_ATTRIB, "attrib"}, {syscall.IN_CLOSE_WRITE, "closewrite"},
	{syscall.IN_MOVED_FROM, "movedfrom"}, {syscall.IN_MOVED_TO, "movedto"}, {syscall.IN_CREATE, "create"},
	{syscall.IN_DELETE, "delete"}, {syscall.IN_DELETE_SELF, "deleteself"}, {syscall.IN_MOVE_SELF, "moveself"},
	{syscall.IN_Q_OVERFLOW, "overflow"}, {syscall.IN_IGNORED, "ignored"}, {syscall.IN_ISDIR, "isdir"},
}

// events writes what there is to read.
func events(f *os.File) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			fail(err)
		}
		for b := buf[:n]; len(b) > 0; {
			wd, mask := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:])
			end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name := strings.TrimRight(string(b[syscall.SizeofInotifyEvent:end]), "\x00")
			b = b[end:]
			var what []string
			for _, bit := range bits {
				if mask&bit.mask != 0 {
					what = append(what, bit.name)
				}
			}
			mu.Lock()
			fmt.Printf("%s %q %s\n", paths[wd], name, strings.Join(what, "|"))
			mu.Unlock()
		}
	}
}
