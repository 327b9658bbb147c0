package qemu

import (
	"bytes"
	"net"
	"os"
	"testing"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

// TestLinkQueue: a kernel that reads nothing holds nobody up.
func TestLinkQueue(t *testing.T) {
	ours, theirs, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	l := openLink(ours, &hostFiles{getenv: os.Getenv}, func(uint64) {}, func() {})
	done := make(chan struct{})
	go func() {
		for range 100_000 {
			l.tell(control.ConsolePassed, "1")
		}
		close(done)
	}()
	hangs(t, done)
	ours.Close()
	hangs(t, l.done)
}

// FuzzLink has a guest say anything.
func FuzzLink(f *testing.F) {
	f.Add([]byte("console-sent 5\nstream-told stdout\n"))
	f.Add(bytes.Repeat([]byte("watch 1 root 2 /\nunwatch 1\nwatch-sync 3\n"), 1000))
	f.Add([]byte("stream-told \"\\x00\"\nconsole-sent -1\nconsole-sent 99999999999999999999\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, theirs, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		conn, err := net.FileConn(theirs)
		theirs.Close()
		if err != nil {
			t.Fatal(err)
		}
		l := openLink(ours, &hostFiles{getenv: os.Getenv}, func(uint64) {}, func() {})
		conn.SetDeadline(time.Now().Add(time.Minute))
		conn.Write(data)
		conn.Close()
		hangs(t, l.done)
		for name := range l.told {
			if name != "stdout" && name != "stderr" {
				t.Errorf("told of %q", name)
			}
		}
	})
}

// FuzzProgress has a guest say anything over the debug console.
func FuzzProgress(f *testing.F) {
	f.Add([]byte("yolk main\nyolk exit 3\n"))
	f.Add([]byte("yolk exit x\nyolk exit 99999999999999999999\nyolk main\nyolk main\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, theirs, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		p := watch(ours)
		theirs.Write(data)
		p.upToDate()
		theirs.Close()
		hangs(t, p.done)
	})
}
