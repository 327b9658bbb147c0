package qemu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/qemu/passthrough"
	"github.com/yolkos/yolk/qemu/served"
	"github.com/yolkos/yolk/qemu/vhostuser"
)

// builtinFD is the descriptor of the socket to the parent in the process that
// runs ServeBuiltin.
const builtinFD = 3

// virtioFSQueues are the queues of a virtio-fs device with one request queue:
// that of high priority is the first (virtio 1.2 §5.11.2).
const virtioFSQueues = 2

// ServeBuiltin is the body of the process that serves a directory. It hands the
// socket for QEMU to its parent over builtinFD and ends when the parent closes
// that. With a pipe, which is the number of a descriptor, it writes there which requests it served
// when (package served).
func ServeBuiltin(dir string, cache Cache, pipe string) error {
	f := os.NewFile(builtinFD, "parent")
	conn, err := net.FileConn(f)
	if err != nil {
		return fmt.Errorf("this command is for yolk's own use (%w)", err)
	}
	f.Close()
	parent, ok := conn.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("this command is for yolk's own use")
	}
	unix.Umask(0) // the guest applies its own
	files := fileLimit()
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}) // else with what there is
	server, err := passthrough.New(dir, passthrough.Options{Valid: cache.lifetime(), Files: guestFiles(files)})
	if err != nil {
		return err
	}
	var handler vhostuser.Handler = server
	if pipe != "" {
		fd, err := strconv.Atoi(pipe)
		if err == nil {
			handler, err = served.NewHandler(server, fd)
		}
		if err != nil {
			return fmt.Errorf("this command is for yolk's own use (%w)", err)
		}
	}
	front, client, err := pair()
	if err != nil {
		return err
	}
	if err := sendFile(parent, client); err != nil {
		return err
	}
	client.Close()
	confine("the built-in server of "+dir, filesFilter)
	ended := make(chan error, 2)
	go func() {
		ended <- vhostuser.New(virtioFSQueues, handler, func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, "yolk: built-in server of %s: %s\n", dir, fmt.Sprintf(format, args...))
		}).Serve(front)
	}()
	go func() {
		_, err := parent.Read(make([]byte, 1))
		ended <- err
	}()
	if err := <-ended; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
