package scratch

import (
	"os"
	"sync"
	"testing"
)

func TestSweep(t *testing.T) {
	base := t.TempDir()
	dead, err := in(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dead.Path+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := in(base)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.Path); err != nil {
		t.Fatal("a directory in use was removed")
	}
	dead.lock.Close() // as its process's end would
	next, err := in(base)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.Path); !os.IsNotExist(err) {
		t.Errorf("the dead one's directory is still there: %v", err)
	}
	alive.Remove()
	next.Remove()
	if left, _ := os.ReadDir(base); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestMany(t *testing.T) {
	base := t.TempDir()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			d, err := in(base)
			if err != nil {
				t.Error(err)
				return
			}
			if err := os.WriteFile(d.Path+"/file", nil, 0o600); err != nil {
				t.Error(err)
			}
			d.Remove()
		})
	}
	wg.Wait()
	if left, _ := os.ReadDir(base); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
