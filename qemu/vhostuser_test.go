package qemu

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// connected makes two connected sockets for this process.
func connected(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	a, f, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.FileConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	b = conn.(*net.UnixConn)
	for _, c := range []*net.UnixConn{a, b} {
		c.SetDeadline(time.Now().Add(time.Minute))
		t.Cleanup(func() { c.Close() })
	}
	return a, b
}

func vhostMessage(fields ...uint32) (msg []byte) {
	for _, f := range fields {
		msg = binary.LittleEndian.AppendUint32(msg, f)
	}
	return msg
}

func TestRelay(t *testing.T) {
	qemu, front := connected(t)
	back, server := connected(t)
	ended := make(chan error, 1)
	go func() { ended <- (&relay{qemu: front, server: back}).run() }()

	kick, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(kick)

	// A message with a descriptor arrives with it.
	sent := vhostMessage(vringSetKick, vhostVersion, 8, 1, 0)
	if _, _, err := qemu.WriteMsgUnix(sent, unix.UnixRights(kick), nil); err != nil {
		t.Fatal(err)
	}
	got, fds, err := readMessage(server)
	if err != nil || !bytes.Equal(got, sent) || len(fds) != 1 {
		t.Fatalf("got %v, %v, %v", got, fds, err)
	}
	// The server makes it block, as go-fuse's does.
	if err := unix.SetNonblock(fds[0], false); err != nil {
		t.Fatal(err)
	}
	unix.Close(fds[0])

	// What stops a queue is answered, and does not arrive.
	exchange := func(request, want []byte) {
		t.Helper()
		if _, err := qemu.Write(request); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(qemu, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("answer %v, %v, want %v", got, err, want)
		}
	}
	exchange(vhostMessage(vringSetEnable, vhostVersion|vhostNeedReply, 8, 1, 0), vhostMessage(vringSetEnable, vhostVersion|vhostReply, 8, 0, 0))
	exchange(vhostMessage(vringGetBase, vhostVersion, 8, 1, 0), vhostMessage(vringGetBase, vhostVersion|vhostReply, 8, 1, 0))
	if flags, err := unix.FcntlInt(uintptr(kick), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("the event descriptor still blocks (%v)", err)
	}
	if _, err := qemu.Write(vhostMessage(vringSetEnable, vhostVersion, 8, 1, 0)); err != nil {
		t.Fatal(err)
	}

	// Starting one and all else arrives, in whatever pieces, and so does
	// what the server answers.
	for _, msg := range [][]byte{vhostMessage(vringSetEnable, vhostVersion, 8, 1, 1), vhostMessage(1, vhostVersion, 0)} {
		for _, b := range msg {
			if _, err := qemu.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if got, _, err := readMessage(server); err != nil || !bytes.Equal(got, msg) {
			t.Errorf("got %v, %v, want %v", got, err, msg)
		}
	}
	if _, err := server.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(qemu, answer); err != nil || string(answer) != "answer" {
		t.Errorf("got %q, %v", answer, err)
	}

	qemu.Close()
	if err := <-ended; err != nil {
		t.Errorf("at the end: %v", err)
	}
	if n, err := server.Read(answer); err != io.EOF {
		t.Errorf("the server's connection is still open: %d, %v", n, err)
	}
}

func TestRelayBadMessages(t *testing.T) {
	for name, msg := range map[string][]byte{
		"too long":  vhostMessage(1, vhostVersion, 1<<31),
		"cut short": vhostMessage(1, vhostVersion)[:5],
	} {
		t.Run(name, func(t *testing.T) {
			qemu, front := connected(t)
			back, _ := connected(t)
			ended := make(chan error, 1)
			go func() { ended <- (&relay{qemu: front, server: back}).run() }()
			if _, err := qemu.Write(msg); err != nil {
				t.Fatal(err)
			}
			qemu.CloseWrite()
			if err := <-ended; err == nil {
				t.Error("no error")
			}
		})
	}
}
