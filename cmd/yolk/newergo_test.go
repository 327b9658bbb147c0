package main

import (
	goversion "go/version"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuestNewerGo builds and tests a module that wants a newer Go than that of the
// installed one, which is fetched if $GOTOOLCHAIN lets it be.
func TestGuestNewerGo(t *testing.T) {
	needGuest(t)
	if testing.Short() {
		t.Skip("fetches a Go and makes a toolchain of it")
	}
	dir, root := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/newer\n\ngo 1.27.1\n")
	write(t, filepath.Join(dir, "main.go"), `package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	version, _, _ := strings.CutLast(runtime.Version(), ".") // is in Go 1.27
	data, err := os.ReadFile("/file")
	fmt.Printf("%s %q %v\n", version, data, err)
	fmt.Println(os.WriteFile("/new", []byte("of the guest\n"), 0o644))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		c, _ := l.Accept()
		c.Write([]byte("by loopback"))
		c.Close()
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	text := make([]byte, 20)
	n, err := c.Read(text)
	fmt.Printf("%q %v\n", text[:n], err)

	done := make(chan int)
	for i := range 100 {
		go func() {
			var pages [][]byte
			for j := range 100 {
				pages = append(pages, make([]byte, 1+i*j))
			}
			time.Sleep(time.Millisecond)
			done <- len(pages)
		}()
	}
	sum := 0
	for range 100 {
		sum += <-done
	}
	runtime.GC()
	fmt.Println(sum)
	panic("the end")
}
`)
	write(t, filepath.Join(dir, "main_test.go"), `package main

import (
	"runtime"
	"testing"
)

func TestVersion(t *testing.T) { t.Logf("by %s", runtime.Version()) }
`)
	write(t, filepath.Join(root, "file"), "of the host")
	const want = "go1.27 \"of the host\" <nil>\n<nil>\n\"by loopback\" <nil>\n10000\n"
	command := func(setting string, args ...string) result {
		c := yolkCommand(t, dir, args...)
		c.Env = append(c.Environ(), "GOTOOLCHAIN="+setting)
		return runCommand(t, c)
	}
	for _, machine := range []string{"microvm", "q35"} {
		got := command("auto", "run", "-q", "--machine", machine, "--cpus", "2", "--root", root, ".")
		if got.status != 2 || got.stdout != want || !strings.Contains(got.stderr, "panic: the end\n\ngoroutine 1 [running]:\nmain.main()\n") {
			t.Errorf("%s: %+v\nwant %s", machine, got, want)
		}
	}
	if got := command("auto", "test", "-v", "."); got.status != 0 || !strings.Contains(got.stdout, "by go1.27.") {
		t.Errorf("test: %+v", got)
	}
	if got := command("auto", "go", "vet", "."); got.status != 0 {
		t.Errorf("vet: %+v", got)
	}
	own, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	if goversion.Compare(strings.TrimSpace(string(own)), "go1.27.1") >= 0 {
		return // there is nothing to fetch
	}
	const refused = "wants Go 1.27.1, and Yolk builds with Go 1.26."
	got := command("local", "run", "-q", ".")
	if got.status != 125 || !strings.Contains(got.stderr, refused) || !strings.Contains(got.stderr, "since GOTOOLCHAIN=local keeps go1.27.") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("not fetched: %+v", got)
	}
}
