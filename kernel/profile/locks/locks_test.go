package locks

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"
)

// contend has a goroutine wait for a lock, and returns when it has had it.
//
//go:noinline
func contend() {
	var mu sync.Mutex
	mu.Lock()
	var wg sync.WaitGroup
	wg.Go(func() {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // to have waited is all
	})
	for !waits("locks.contend.func1") {
		runtime.Gosched()
	}
	mu.Unlock()
	wg.Wait()
}

// waits tells whether a goroutine with a function in its stack waits for a lock.
func waits(function string) bool {
	stacks := make([]byte, 1<<20)
	for g := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
		if bytes.Contains(g, []byte("[sync.Mutex.Lock")) && bytes.Contains(g, []byte(function)) {
			return true
		}
	}
	return false
}

func TestStart(t *testing.T) {
	launcher, port := net.Pipe()
	s := start(port)
	defer runtime.SetMutexProfileFraction(0)
	contend()
	go s.Finish()
	launcher.SetDeadline(time.Now().Add(time.Minute))
	var size uint64
	if err := binary.Read(launcher, binary.LittleEndian, &size); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(io.LimitReader(launcher, int64(size)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("profile/locks.contend")) {
		t.Errorf("the function that held the lock is not in the profile: %q", data)
	}
}
