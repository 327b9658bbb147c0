package qemu

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// Each question is answered with its own bytes and a time between question and
// answer, whatever the bytes are and however they come.
func TestServeTime(t *testing.T) {
	guest, host := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		serveTime(host)
	}()
	for i, question := range []string{"\x00\x00\x00\x00\x00\x00\x00\x00", "\xff\xff\xff\xff\xff\xff\xff\xff", "a\nb\x00cdef"} {
		asked := time.Now().UnixNano()
		for _, part := range []string{question[:i+1], question[i+1:]} {
			if _, err := guest.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		var b [16]byte
		if _, err := io.ReadFull(guest, b[:]); err != nil {
			t.Fatal(err)
		}
		told := int64(binary.LittleEndian.Uint64(b[8:]))
		if string(b[:8]) != question || told < asked || told > time.Now().UnixNano() {
			t.Errorf("question %q: answer %q, %v after the question", question, b[:8], time.Duration(told-asked))
		}
	}
	guest.Write([]byte("half"))
	guest.Close()
	<-done
}

func TestTimePort(t *testing.T) {
	fakes(t, "time:12345678 ctl:yolk_exit_0 end:1", "")
	before := time.Now().UnixNano()
	got := runGuest(t, context.Background(), nil)
	if got.err != nil || len(got.stdout) != 16 || got.stdout[:8] != "12345678" {
		t.Fatalf("got %+v", got)
	}
	if told := int64(binary.LittleEndian.Uint64([]byte(got.stdout[8:]))); told < before || told > time.Now().UnixNano() {
		t.Errorf("told %v", time.Unix(0, told))
	}
}
