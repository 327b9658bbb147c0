package profile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net"
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

//go:noinline
func burn(d time.Duration) (n int) {
	for t := time.Now(); time.Since(t) < d; n++ {
	}
	return n
}

func TestFinish(t *testing.T) {
	for _, asked := range []bool{false, true} {
		launcher, port := net.Pipe()
		launcher.SetDeadline(time.Now().Add(20 * time.Second))
		s, err := start(port)
		if err != nil {
			t.Fatal(err)
		}
		burn(300 * time.Millisecond)
		if asked {
			if _, err := launcher.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		} else {
			go s.finish()
		}
		if data := receive(t, launcher); !bytes.Contains(data, []byte("kernel/profile.burn")) {
			t.Errorf("asked %t: the function that took the time is not in the profile: %d bytes", asked, len(data))
		}
		s.finish() // says nothing a second time: nobody reads
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
	go s.finish()
	receive(t, launcher)
}
