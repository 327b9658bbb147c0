//go:build tamago

package guest

import (
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTurns: of pairs of goroutines that answer each other by files, none gets on at the
// expense of the others, however often each could go on at once.
func TestTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // of several, one may stand still for a while
	const pairs, trips = 8, 200
	var made [pairs]atomic.Int64
	var over atomic.Bool
	var ready, all sync.WaitGroup
	ready.Add(pairs)
	begin := make(chan struct{})
	for i := range pairs {
		there, to := pipe(t)
		back, from := pipe(t)
		all.Go(func() { // answers
			defer from.Close()
			_, _ = io.CopyBuffer(onlyWriter{from}, onlyReader{there}, make([]byte, 1))
		})
		all.Go(func() {
			defer to.Close()
			b := make([]byte, 1)
			ready.Done()
			<-begin
			for !over.Load() {
				if _, err := to.Write(b); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(back, b); err != nil {
					t.Error(err)
					return
				}
				if made[i].Add(1) == trips {
					over.Store(true)
				}
			}
		})
	}
	ready.Wait()
	close(begin)
	all.Wait()
	for i := range made {
		if n := made[i].Load(); n < trips/4 {
			t.Errorf("pair %d has made %d trips when another has made %d", i, n, trips)
		}
	}
}

// Without the ways of their own that files have to copy.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

func pipe(t *testing.T) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, w
}
