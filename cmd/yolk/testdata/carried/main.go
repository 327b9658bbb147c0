// Carried is a server whose image carries all that it needs. It looks at its arguments,
// environment and root, serves a file of it to itself, and ends with status 7.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

func main() {
	wd, err := os.Getwd()
	say("args %q, MODE=%s OTHER=%s, in %s, %v", os.Args, os.Getenv("MODE"), os.Getenv("OTHER"), wd, err)
	for _, name := range []string{"/", "/site/index.html", "/site/hard.html", "/site/link", "/empty", "/run.sh"} {
		i, err := os.Lstat(name)
		if err != nil {
			say("%v", err)
			continue
		}
		st := i.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%s %v %d:%d %d", name, i.Mode(), st.Uid, st.Gid, i.ModTime().Unix())
		if !i.IsDir() {
			line += fmt.Sprintf(" links %d size %d", st.Nlink, i.Size())
		}
		if to, err := os.Readlink(name); err == nil {
			line += " => " + to
		}
		say("%s", line)
	}
	many, err := os.ReadDir("/many")
	say("many: %d, %v", len(many), err)
	say("serve: %s", serve())
	say("map: %s", mapped())
	say("large: %s", large())
	say("memory: %s", memory())
	changes()
	os.Exit(7)
}

func say(format string, args ...any) { fmt.Printf("= "+format+"\n", args...) }

// serve serves files until one was asked for from outside, or by itself if nobody is.
func serve() string {
	l, err := net.Listen("tcp", ":8080")
	if err != nil {
		return err.Error()
	}
	served := make(chan string, 10)
	files := http.FileServer(http.Dir("/site"))
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(w, r)
		served <- r.URL.Path
	}))
	if os.Getenv("MODE") == "image" {
		return <-served
	}
	r, err := http.Get("http://127.0.0.1:8080/link")
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if text := strings.TrimSpace(string(body)); text != "hello from the image" {
		return text
	}
	return <-served
}

func mapped() string {
	f, err := os.Open("/site/index.html")
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, 5, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return err.Error()
	}
	defer syscall.Munmap(b)
	return string(b)
}

// large reads a file that takes half of the memory: it is not copied to be read.
func large() string {
	f, err := os.Open("/large")
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	size, sum := 0, uint64(0)
	for {
		n, err := f.Read(buf)
		size += n
		for i := 0; i < n; i += 512 {
			sum += uint64(buf[i])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err.Error()
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%d MiB, sum %d, less than 32 MiB of heap: %v", size>>20, sum, m.HeapSys < 32<<20)
}

// memory has the kernel read from where the image's parts lie, and write there, which is to
// be an error of the call. The program headers, which are loaded with the code, tell where.
func memory() string {
	header := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(image))), 4096)
	for p := header[64:]; len(p) >= 56; p = p[56:] {
		if binary.LittleEndian.Uint32(p) != 0x60796f6c {
			continue
		}
		parts := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(binary.LittleEndian.Uint64(p[16:])))), 4096)
		f, err := os.Create("/tmp/parts")
		if err != nil {
			return err.Error()
		}
		defer f.Close()
		at := uintptr(unsafe.Pointer(&parts[0]))
		n, _, e := syscall.Syscall(syscall.SYS_WRITE, f.Fd(), at, 4096)
		_, _, rerr := syscall.Syscall6(syscall.SYS_PREAD64, f.Fd(), at, 4096, 0, 0, 0)
		return fmt.Sprint(string(parts[:8]), " ", n, " ", int(e), "; ", rerr)
	}
	return "no such header"
}

// image is where the ELF header is loaded.
const image = 0x200000

func changes() {
	err := os.WriteFile("/site/index.html", []byte("changed"), 0o644)
	if errors.Is(err, syscall.EROFS) {
		for what, err := range map[string]error{
			"create": os.WriteFile("/site/new", nil, 0o644), "mkdir": os.Mkdir("/new", 0o755), "remove": os.Remove("/run.sh"),
			"chmod": os.Chmod("/run.sh", 0o600), "rename": os.Rename("/empty", "/full"),
		} {
			if !errors.Is(err, syscall.EROFS) {
				say("%s: %v", what, err)
			}
		}
		say("the root is read-only; /tmp: %v", os.WriteFile("/tmp/x", nil, 0o644))
		return
	}
	say("changed: %v", err)
	other, err := os.ReadFile("/site/hard.html")
	say("by its other name: %s, %v", other, err)
	say("%v %v %v %v", os.Rename("/site", "/moved"), os.Remove("/run.sh"), os.Mkdir("/site", 0o755), os.RemoveAll("/many"))
	var list []string
	err = fs.WalkDir(os.DirFS("/"), ".", func(name string, d fs.DirEntry, err error) error {
		switch name {
		case "proc", "dev", "tmp":
			return fs.SkipDir
		}
		list = append(list, name)
		return err
	})
	say("%q %v", list, err)
}
