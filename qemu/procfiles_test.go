package qemu

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kernelOf is the kernel's end of a link.
func kernelOf(t *testing.T) (*link, net.Conn, *bufio.Reader) {
	t.Helper()
	ours, theirs, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := net.FileConn(theirs)
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); kernel.Close() })
	kernel.SetDeadline(time.Now().Add(time.Minute)) // for hangs
	return openLink(ours, &hostFiles{getenv: os.Getenv}, func(uint64) {}, func() {}), kernel, bufio.NewReader(kernel)
}

// Files of /proc are read one after the other; an answer that comes too late is not
// taken for that to a later question.
func TestReadProc(t *testing.T) {
	l, kernel, in := kernelOf(t)
	g := &Guest{l}
	question := func(want string) {
		t.Helper()
		if line, err := in.ReadString('\n'); err != nil || line != want+"\n" {
			t.Errorf("the kernel got %q, %v, want %q", line, err, want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	late := make(chan error)
	go func() {
		_, err := g.ReadProc(ctx, "slow file")
		late <- err
	}()
	question(`proc-read 1 "slow file"`)
	impatient := errors.New("impatient")
	cancel(impatient)
	if err := <-late; err != impatient {
		t.Errorf("given up: %v", err)
	}
	type result struct {
		data []byte
		err  error
	}
	results := make(chan result)
	read := func(name string) {
		data, err := g.ReadProc(t.Context(), name)
		results <- result{data, err}
	}
	go read("stat")
	question("proc-read 2 stat")
	large := strings.Repeat("line\n", 10_000)
	fmt.Fprintf(kernel, "proc-data 1 0 3\nold\nproc-data 2 0 %d\n%s", len(large), large)
	if r := <-results; r.err != nil || string(r.data) != large {
		t.Errorf("read %d bytes, %v", len(r.data), r.err)
	}
	go read("nothing")
	question("proc-read 3 nothing")
	fmt.Fprintf(kernel, "proc-data 3 2 0\n")
	if r := <-results; !errors.Is(r.err, syscall.ENOENT) || !strings.Contains(r.err.Error(), "nothing") {
		t.Errorf("what is not there: %v", r.err)
	}
	go read("stat")
	question("proc-read 4 stat")
	kernel.Close()
	if r := <-results; !errors.Is(r.err, errMachineEnded) {
		t.Errorf("the machine has ended: %v", r.err)
	}
	if _, err := g.ReadProc(t.Context(), "stat"); !errors.Is(err, errMachineEnded) {
		t.Errorf("afterwards: %v", err)
	}
}

// A kernel that breaks the rules is not listened to any more, and nothing is made of the
// size that it says.
func TestReadProcStranger(t *testing.T) {
	for _, answer := range []string{"proc-data\n", "proc-data 1 0 99999999999\n", "proc-data 1 99999 1\nx", "proc-data 1 0 -1\n", "proc-data x 0 1\nx"} {
		l, kernel, in := kernelOf(t)
		failed := make(chan error)
		go func() {
			_, err := (&Guest{l}).ReadProc(t.Context(), "stat")
			failed <- err
		}()
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(kernel, answer); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !errors.Is(err, errMachineEnded) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
