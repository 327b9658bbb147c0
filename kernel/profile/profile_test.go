package profile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// receive reads an answer and returns the profile, unpacked.
func receive(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var size uint64
	if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
		t.Fatal(err)
	}
	packed := make([]byte, size)
	if _, err := io.ReadFull(r, packed); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// burn takes the processor for d, however much others have of it meanwhile.
//
//go:noinline
func burn(d time.Duration) (n int) {
	for end := used() + d; used() < end; n++ {
	}
	return n
}

// used is how long processors have worked for this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestFinish(t *testing.T) {
	for _, asked := range []bool{false, true} {
		launcher, port := net.Pipe()
		s, err := start(port)
		if err != nil {
			t.Fatal(err)
		}
		burn(200 * time.Millisecond)
		launcher.SetDeadline(time.Now().Add(time.Minute))
		if asked {
			if _, err := launcher.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		} else {
			go s.Finish()
		}
		if data := receive(t, launcher); !bytes.Contains(data, []byte("kernel/profile.burn")) {
			t.Errorf("asked %t: the function that took the time is not in the profile: %d bytes", asked, len(data))
		}
		s.Finish() // says nothing a second time: nobody reads
		launcher.Close()
	}
}

// TestTwo has a second profile refused, as the program's own is during one.
func TestTwo(t *testing.T) {
	launcher, port := net.Pipe()
	s, err := start(port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := start(port); err == nil {
		t.Error("a second profile at once")
	}
	go s.Finish()
	receive(t, launcher)
}
