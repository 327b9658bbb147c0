//go:build tamago

package guest

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBlockProfiles: profiles of blocking and of contention have the program's own, and
// nothing of what happens in the kernel.
func TestBlockProfiles(t *testing.T) {
	runtime.SetBlockProfileRate(1)
	defer runtime.SetBlockProfileRate(0)
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // waits in the kernel
		b := make([]byte, 1)
		for {
			if n, _ := r.Read(b); n == 0 {
				return
			}
		}
	})
	var mu sync.Mutex
	dir := t.TempDir()
	for range 2 {
		wg.Go(func() {
			for range 20 {
				contend(&mu)
				w.Write([]byte("x"))
				if err := os.WriteFile(dir+"/f", []byte("x"), 0o644); err != nil {
					t.Error(err)
				}
			}
		})
	}
	time.AfterFunc(200*time.Millisecond, func() { w.Close() })
	wg.Wait()
	r.Close()

	for name, collect := range map[string]func([]runtime.BlockProfileRecord) (int, bool){
		"block": runtime.BlockProfile, "mutex": runtime.MutexProfile,
	} {
		records := make([]runtime.BlockProfileRecord, 10_000)
		n, ok := collect(records)
		if !ok {
			t.Fatalf("%s: %d records", name, n)
		}
		own := false
		for _, record := range records[:n] {
			frames := runtime.CallersFrames(record.Stack())
			for more := true; more; {
				var f runtime.Frame
				f, more = frames.Next()
				own = own || strings.HasSuffix(f.Function, "guest.contend")
				for _, kernel := range []string{"fs.", "fs/", "syscalls.", "drivers/", "kernel."} {
					if strings.HasPrefix(f.Function, "github.com/yolkos/yolk/"+kernel) {
						t.Errorf("%s: the kernel's %s", name, f.Function)
					}
				}
			}
		}
		if !own {
			t.Errorf("%s: nothing of the program's own among %d records", name, n)
		}
	}
}

//go:noinline
func contend(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	time.Sleep(time.Millisecond)
}
