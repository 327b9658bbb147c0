//go:build tamago

package guest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// serverLifetime is longer than the servers that are tested with let entries live.
const serverLifetime = 1100 * time.Millisecond

// TestNamesOnShare: what the cache says of names that many goroutines have changed
// is what the server says once the cache may not be believed any more.
func TestNamesOnShare(t *testing.T) {
	dir, err := os.MkdirTemp(".", "names") // the package's directory, on virtio-fs
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var names []string
	for i := range 12 {
		names = append(names, filepath.Join(dir, fmt.Sprint(i%2), fmt.Sprint("n", i)))
	}
	for _, d := range []string{"0", "1"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(g)))
				for range 300 {
					changeNames(names, r)
				}
			})
		}
		wg.Wait()
		first := lstatAll(names)
		time.Sleep(serverLifetime)
		for i, then := range lstatAll(names) {
			if first[i] != then {
				t.Errorf("round %d: %s was %q in the cache, is %q at the server", round, names[i], first[i], then)
			}
		}
	}
}

// changeNames does one operation on some of names, whatever comes of it.
func changeNames(names []string, r *rand.Rand) {
	p, q := names[r.IntN(len(names))], names[r.IntN(len(names))]
	switch r.IntN(8) {
	case 0, 1:
		flags := os.O_RDWR | os.O_CREATE
		if r.IntN(2) == 0 {
			flags |= os.O_EXCL
		}
		if f, err := os.OpenFile(p, flags, 0o644); err == nil {
			f.Close()
		}
	case 2, 3:
		os.Remove(p)
	case 4:
		os.Mkdir(p, 0o755)
	case 5:
		os.Link(p, q)
	case 6:
		os.Rename(p, q)
	case 7:
		os.ReadDir(filepath.Dir(p))
	}
}

// lstatAll tells of each name the error, or type and size.
func lstatAll(names []string) (list []string) {
	for _, name := range names {
		if info, err := os.Lstat(name); err != nil {
			list = append(list, err.Error())
		} else {
			list = append(list, fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano()))
		}
	}
	return list
}
