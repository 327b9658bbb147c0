package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/qemu"
)

// carriedRoot makes what the program carried wants in its root.
func carriedRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"site/index.html": "hello from the image\n", "run.sh": "#!/bin/sh\n"}
	for i := range 2000 {
		files[fmt.Sprint("many/", i)] = ""
	}
	layOut(t, dir, files)
	if err := errors.Join(
		os.Link(filepath.Join(dir, "site/index.html"), filepath.Join(dir, "site/hard.html")),
		os.Symlink("./hard.html", filepath.Join(dir, "site/link")),
		os.Mkdir(filepath.Join(dir, "empty"), 0o750),
		os.Chmod(filepath.Join(dir, "run.sh"), 0o4755|os.ModeSetuid),
		os.Chmod(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "large"), bytes.Repeat([]byte{3}, 64<<20), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	return dir
}

// said are the lines of the program carried, without the kernel's.
func said(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "= "); ok {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}

// bareQEMU boots an image as docs/IMAGES.md says, without yolk, and asks its server for a
// file.
func bareQEMU(t *testing.T, file string, machine ...string) (out, page string, status int) {
	t.Helper()
	for range 5 {
		out, page, status = bareQEMUOnce(t, file, freePort(t), machine...)
		if !strings.Contains(out, "host forwarding rule") { // somebody else has taken the port
			break
		}
	}
	return out, page, status
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func bareQEMUOnce(t *testing.T, file string, port int, machine ...string) (out, page string, status int) {
	t.Helper()
	path, err := qemu.FindQEMU()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args := append(machine, "-cpu", "max", "-smp", "1,maxcpus=2", "-m", "128", "-kernel", file, "-nodefaults",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
		"-netdev", fmt.Sprintf("user,id=net,hostfwd=tcp:127.0.0.1:%d-:8080", port))
	cmd := exec.CommandContext(ctx, path, args...)
	var data bytes.Buffer
	cmd.Stdout, cmd.Stderr = &data, &data
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	asked := make(chan string)
	go func() { // until the server is there
		for ctx.Err() == nil {
			r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/link", port))
			if err == nil {
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err == nil {
					asked <- r.Status + " " + string(body)
					return
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(asked)
	}()
	select {
	case page = <-asked:
		err = <-ended
	case err = <-ended:
		cancel()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, data.String())
	}
	if err != nil {
		status = exit.ExitCode()
	}
	return data.String(), page, status
}

// TestGuestCarries: an image with its root, arguments and environment needs nothing else
// on any machine; what is given at run time goes before it.
func TestGuestCarries(t *testing.T) {
	needGuest(t)
	t.Setenv("SOURCE_DATE_EPOCH", "")
	root, dir := carriedRoot(t), program(t, "carried")
	image := filepath.Join(t.TempDir(), "app")
	build := func(more ...string) {
		t.Helper()
		args := append([]string{"build", "-o", image, "--root", root, "--args", "-a 'b c'", "--env", "MODE=image", "--env", "OTHER=x", "--cwd", "/site"}, more...)
		if got := runCommand(t, yolkCommand(t, dir, append(args, ".")...)); got.status != 0 {
			t.Fatalf("%+v", got)
		}
	}
	const rest = `/ drwxr-xr-x 0:0 0
/site/index.html -rw-r--r-- 0:0 0 links 2 size 21
/site/hard.html -rw-r--r-- 0:0 0 links 2 size 21
/site/link Lrwxrwxrwx 0:0 0 links 1 size 11 => ./hard.html
/empty drwxr-x--- 0:0 0
/run.sh urwxr-xr-x 0:0 0 links 1 size 10
many: 2000, <nil>
serve: /link
map: hello
large: 64 MiB, sum 393216, less than 32 MiB of heap: true
memory: YOLKPRT1 4096 0; bad address
`
	const readOnly = "the root is read-only; /tmp: <nil>\n"
	build()
	first, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	// Without vectors there is no MSI-X, as with QEMU's -nic model=virtio: the line is the interrupt.
	pci := []string{"-device", "virtio-net-pci,netdev=net"}
	line := []string{"-device", "virtio-net-pci,netdev=net,vectors=0"}
	for _, machine := range [][]string{
		{"-M", "microvm,rtc=on", "-global", "virtio-mmio.force-legacy=false", "-device", "virtio-net-device,netdev=net"},
		append([]string{"-M", "q35"}, pci...),
		append([]string{"-M", "pc"}, pci...),
		append([]string{"-M", "q35"}, line...),
		append([]string{"-M", "pc"}, line...),
	} {
		out, page, status := bareQEMU(t, image, machine...)
		want := `args ["carried" "-a" "b c"], MODE=image OTHER=x, in /site, <nil>` + "\n" + rest + readOnly
		if got := said(out); got != want || status != 2*7+1 || page != "200 OK hello from the image\n" {
			t.Errorf("%v: status %d, served %q, and it says\n%swant\n%sof\n%s", machine, status, page, got, want, out)
		}
	}
	got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--timeout=600s", "--mem=128M", "--env", "MODE=run", "--cwd", "/empty", image, "c"))
	want := `args ["app" "c"], MODE=run OTHER=x, in /empty, <nil>` + "\n" + rest + readOnly
	if said(got.stdout) != want || got.status != 7 {
		t.Errorf("yolk run: %+v\nwant\n%s", got, want)
	}

	// With changes, in memory. Without, another build gives the same bytes.
	build("--writable")
	got = runCommand(t, yolkCommand(t, dir, "run", "-q", "--timeout=600s", "--mem=128M", "--env", "MODE=run", image))
	want = `args ["carried" "-a" "b c"], MODE=run OTHER=x, in /site, <nil>` + "\n" + rest + `changed: <nil>
by its other name: changed, <nil>
<nil> <nil> <nil> <nil>
["." "empty" "large" "moved" "moved/hard.html" "moved/index.html" "moved/link" "site"] <nil>
`
	if said(got.stdout) != want || got.status != 7 {
		t.Errorf("yolk run of a writable one: %+v\nwant\n%s", got, want)
	}
	build()
	if again, err := os.ReadFile(image); err != nil || !bytes.Equal(again, first) {
		t.Errorf("another build gives other bytes, %v", err)
	}
}
