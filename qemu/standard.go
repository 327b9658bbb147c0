package qemu

import (
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// addInputs makes a port for each stream of the program that is read.
func (g *guest) addInputs() error {
	for _, s := range g.standardStreams() {
		if g.terminal.is(s.stream) || !s.reads() {
			continue
		}
		ours, theirs, err := pair()
		if err != nil {
			return err
		}
		g.closers = append(g.closers, ours)
		*s.port = g.files.add(theirs)
		from, _ := s.stream.(io.Reader)
		g.inputs = append(g.inputs, programInput{ours, from})
	}
	return nil
}

// programInput is what a port of the program's is fed from.
type programInput struct {
	port *net.UnixConn
	from io.Reader // nil: it is empty
}

// standardStream is one of the program's. Of one that is a file of this process the guest
// is told how it is open, and its calls then fail as they would here (EBADF); the bytes
// of one that is open for both go the way that they usually go.
type standardStream struct {
	name   string
	stream any
	port   *int
}

func (g *guest) standardStreams() []standardStream {
	return []standardStream{
		{"stdin", g.o.Stdin, &g.config.Stdin}, {"stdout", g.o.Stdout, &g.config.Stdout}, {"stderr", g.o.Stderr, &g.config.Stderr},
	}
}

// reads reports whether bytes of the stream go to the program.
func (s standardStream) reads() bool {
	if s.name == "stdin" {
		return accessOf(s.stream) != writeOnly
	}
	return accessOf(s.stream) == readOnly
}

// What the kernel is told of a stream's access.
const (
	readOnly  = "r"
	writeOnly = "w"
	readWrite = "b"
	noFile    = "-"
)

// accessOf tells what fcntl(2) says of a stream.
func accessOf(stream any) (access string) {
	access = noFile
	f, ok := stream.(*os.File)
	if !ok || f == nil {
		return access
	}
	withFD(f, func(fd int) {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return
		}
		switch flags & unix.O_ACCMODE {
		case unix.O_RDONLY:
			access = readOnly
		case unix.O_WRONLY:
			access = writeOnly
		case unix.O_RDWR:
			access = readWrite
		}
	})
	return access
}
