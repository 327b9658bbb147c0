package qemu

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/virtiofs"
	"golang.org/x/sys/unix"
)

// builtinFD is the descriptor of the socket to the parent in the process that
// runs ServeBuiltin.
const builtinFD = 3

// ServeBuiltin is the body of the process that serves a directory with
// go-fuse's virtio-fs server. It hands the socket for QEMU to its parent over
// builtinFD and ends when the parent closes that.
func ServeBuiltin(dir string, cache Cache) error {
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
	// The server logs every message of the protocol.
	log.SetOutput(io.Discard)
	unix.Umask(0) // the guest applies its own
	files := fileLimit()
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}) // else with what there is

	root, err := fs.NewLoopbackRoot(dir)
	if err != nil {
		return fmt.Errorf("serve %s: %w", dir, err)
	}
	timeout := cache.lifetime()
	opts := &fs.Options{EntryTimeout: &timeout, AttrTimeout: &timeout}
	server, err := connectTo(func(name string) {
		virtiofs.ServeFS(name, fs.NewNodeFS(root, opts), &opts.MountOptions)
	})
	if err != nil {
		return err
	}
	front, client, err := pair()
	if err != nil {
		return err
	}
	if err := sendFile(parent, client); err != nil {
		return err
	}
	client.Close()
	ended := make(chan error, 2)
	go func() { ended <- (&relay{qemu: front, server: server}).run() }()
	go func() {
		_, err := parent.Read(make([]byte, 1))
		ended <- err
	}()
	if err := <-ended; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// connectTo runs serve, which listens at the name it is given, and returns a
// connection to it. The name is gone when it returns.
func connectTo(serve func(name string)) (*net.UnixConn, error) {
	dir, err := os.MkdirTemp("", "yolk-socket-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	name := filepath.Join("/proc/self/fd", fmt.Sprint(d.Fd()), "s")
	go serve(name)
	// The server has no way to say that it listens; it is a matter of
	// microseconds in this same process.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Microsecond) {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: name})
		if err == nil {
			return conn, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the built-in server does not listen: %w", err)
		}
	}
}
