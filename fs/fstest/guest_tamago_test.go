//go:build tamago

package fstest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the random operations; 0 takes one from the clock")
	steps = flag.Int("steps", 25_000, "how many random operations")
)

// TestRandomOnRoot plays in a directory of the machine's own root, which is
// the host's over virtio-fs, and on tmpfs.
func TestRandomOnRoot(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d -steps %d", *seed, *steps)
	dir, err := os.MkdirTemp(".", "random")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	if st.Uid != 0 {
		t.Skipf("what the guest makes belongs to user %d of the host: only the superuser's server gives files to others", st.Uid)
	}
	// The virtiofsd in Rust asks for an x among a directory's modes, of the
	// superuser too, who may search any.
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o400); err != nil {
		t.Fatal(err)
	}
	noAccess := syscall.Access(closed, 1) != nil
	if err := os.Remove(closed); err != nil {
		t.Fatal(err)
	}
	if noAccess {
		t.Log("without access(2): the server has its own rule for directories")
	}
	k := syscalls.Bound()
	root, e := k.Openat(cwd, "/", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	back, err := os.Getwd()
	if e != 0 || err != nil {
		t.Fatal(e, err)
	}
	defer k.Close(root)
	old := k.Umask(0o022)
	if e := k.Chroot(dir); e != 0 {
		t.Fatal(e)
	}
	k.Chdir("/")
	defer func() {
		k.Umask(old)
		k.Fchdir(root)
		k.Chroot(".")
		k.Chdir(back)
	}()
	Random(t, NewKernel(tmpfs.New(tmpfs.Limits{})), k, RandomConfig{
		Seed: *seed, Steps: *steps, Every: 100, PlainModes: true,
		// Daemons may have no right to attributes of the superuser, and may not
		// make files without names. O_APPEND cannot be taken from a file that the
		// daemon has opened with it.
		Skip: func(op string) bool {
			return noAccess && strings.HasPrefix(op, "faccessat") || strings.Contains(op, "\"trusted.") || strings.Contains(op, "O_TMPFILE") || strings.Contains(op, "F_SETFL")
		},
		ByPath: true,
	})
}

// lower is the lower half of a Kernel's addresses, for another Kernel, as each
// believes that all are its own and begins with the highest.
type lower struct{ syscalls.Memory }

func (l lower) Bounds() (low, high uintptr) {
	low, high = l.Memory.Bounds()
	return low, low + (high-low)/2
}

// TestRandomMapsOnRoot plays on mapped files in a directory of the machine's own
// root, and on tmpfs.
func TestRandomMapsOnRoot(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	const length = 500
	for i := range uint64(max(1, *steps/length/10)) {
		t.Run(fmt.Sprint(*seed+i), func(t *testing.T) {
			dir, err := os.MkdirTemp(".", "maps")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			k := NewKernel(tmpfs.New(tmpfs.Limits{}))
			k.Memory = lower{syscalls.Bound().Memory}
			RandomMaps(t, k, syscalls.Bound(), MapConfig{
				Seed: *seed + i, Steps: length, Dirs: [2]string{"/", dir + "/"},
			})
			if err := k.Shutdown(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRandomMemory plays on the machine's anonymous memory.
func TestRandomMemory(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	for i := range uint64(max(1, *steps/500)) {
		RandomMemory(t, syscalls.Bound(), *seed+i, 500)
	}
}
