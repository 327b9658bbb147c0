package scratch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// owners makes a directory whose owner has died, with a file in it, and one whose owner lives.
func owners(t *testing.T, newDir func() (*Dir, error)) (dead, alive *Dir) {
	t.Helper()
	dead, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dead.Path+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if alive, err = newDir(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.Path); err != nil {
		t.Fatal("a directory in use was removed")
	}
	dead.lock.Close() // as its process's end would
	return dead, alive
}

// replaced makes one more, upon which the dead one's is gone, and removes the others.
func replaced(t *testing.T, newDir func() (*Dir, error), dead, alive *Dir) {
	t.Helper()
	next, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.Path); !os.IsNotExist(err) {
		t.Errorf("the dead one's directory is still there: %v", err)
	}
	alive.Remove()
	next.Remove()
}

func TestSweep(t *testing.T) {
	base := t.TempDir()
	newDir := func() (*Dir, error) { return in(base) }
	dead, alive := owners(t, newDir)
	replaced(t, newDir, dead, alive)
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

// TestBeside: what a killed process has left goes with the next one for the same name, and
// nothing else does.
func TestBeside(t *testing.T) {
	parent := t.TempDir()
	newDir := func() (*Dir, error) { return Beside(parent + "/app") }
	dead, alive := owners(t, newDir)
	others := []string{"/.app.yolk-", "/.app.yolk-1x", "/.app-12", "/.apps.yolk-12", "/target"}
	for _, other := range others {
		if err := os.Mkdir(parent+other, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	others = append(others, "/.app.yolk-13", "/.app.yolk-14")
	if err := os.WriteFile(parent+"/.app.yolk-13", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", parent+"/.app.yolk-14"); err != nil {
		t.Fatal(err)
	}
	replaced(t, newDir, dead, alive)
	for _, other := range others {
		if _, err := os.Lstat(parent + other); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(parent); len(left) != len(others) {
		t.Errorf("left: %v", left)
	}
}

// TestManyBeside: a sweep takes no directory that is just being made.
func TestManyBeside(t *testing.T) {
	name := t.TempDir() + "/app"
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			d, err := Beside(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Remove()
			if err := os.WriteFile(d.Path+"/file", nil, 0o600); err != nil {
				t.Error(err)
				return
			}
			if err := os.Rename(d.Path+"/file", name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left, _ := os.ReadDir(filepath.Dir(name)); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
