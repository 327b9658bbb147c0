package disk

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/blockdev"
	"github.com/yolkos/yolk/internal/tools"
)

// kernel writes size bytes that no other seed has.
func kernel(t *testing.T, seed uint64, size int) string {
	t.Helper()
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	name := filepath.Join(t.TempDir(), "kernel")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}

// onlyFiles checks what a directory has in it: nothing is left behind.
func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %q", dir, got, want)
	}
}

// TestDisk reads back what a disk has on it: the table by the kernel's own reader, the
// file system by mtools.
func TestDisk(t *testing.T) {
	tools.Need(t, Check(Raw))
	const mib = 1 << 20
	for _, c := range []struct {
		kernel     int
		size, want int64
		parts      []blockdev.Partition
	}{
		{3 * mib, 0, 37 * mib, []blockdev.Partition{{Number: 1, Start: mib, Size: mib}, {Number: 2, Start: 2 * mib, Size: 34 * mib}}},
		{3 * mib, 37 * mib, 37 * mib, []blockdev.Partition{{Number: 1, Start: mib, Size: mib}, {Number: 2, Start: 2 * mib, Size: 34 * mib}}},
		{3 * mib, 3000 * mib, 3000 * mib, []blockdev.Partition{{Number: 1, Start: mib, Size: mib}, {Number: 2, Start: 2 * mib, Size: 34 * mib}, {Number: 3, Start: 36 * mib, Size: 2963 * mib}}},
		{50 * mib, 0, 55 * mib, []blockdev.Partition{{Number: 1, Start: mib, Size: mib}, {Number: 2, Start: 2 * mib, Size: 52 * mib}}},
	} {
		k := kernel(t, uint64(c.kernel), c.kernel)
		name := filepath.Join(t.TempDir(), "disk")
		if err := Make(t.Context(), name, Options{Kernel: k, Format: Raw, Size: c.size}); err != nil {
			t.Fatal(err)
		}
		onlyFiles(t, filepath.Dir(name), "disk")
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, _ := f.Stat()
		if info.Size() != c.want {
			t.Errorf("%d bytes, want %d", info.Size(), c.want)
		}
		parts, err := blockdev.Partitions(f, info.Size(), sector)
		if err != nil || !slices.Equal(parts, c.parts) {
			t.Errorf("%v, %v, want %v", parts, err, c.parts)
		}
		// Without the first copy the second one counts.
		broken := bytes.NewBuffer(nil)
		_, _ = io.CopyN(broken, f, 4*sector)
		broken.Bytes()[sector] ^= 1
		if again, err := blockdev.Partitions(overlay{f, broken.Bytes()}, info.Size(), sector); !slices.Equal(again, c.parts) || err == nil {
			t.Errorf("the copy: %v, %v", again, err)
		}
		read := filepath.Join(t.TempDir(), "back")
		if out, err := exec.Command("mcopy", "-i", name+"@@2M", "::"+kernelName, read).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !sameFile(t, k, read) {
			t.Error("the kernel is not what it was")
		}
		out, err := exec.Command("minfo", "-i", name+"@@2M", "::").CombinedOutput()
		if err != nil || !strings.Contains(string(out), `disk type="FAT32   "`) {
			t.Errorf("minfo: %v: %s", err, out)
		}
		sfdisk(t, name)
		// The boot code finds the core image, and that the rest of itself.
		b := make([]byte, 2*mib)
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		at := binary.LittleEndian.Uint64(b[bootKernelSector:])
		core := b[at*sector:]
		next, length := binary.LittleEndian.Uint64(core[coreBlocks:]), binary.LittleEndian.Uint16(core[coreBlocks+8:])
		if at != bootStart/sector || next != at+1 || length < 50 || int64(length+1)*sector > coreMax {
			t.Errorf("boot code: block %d, then %d blocks from %d on", at, length, next)
		}
	}
}

// overlay is a disk whose first bytes are others.
type overlay struct {
	r     io.ReaderAt
	first []byte
}

func (o overlay) ReadAt(p []byte, off int64) (int, error) {
	n, err := o.r.ReadAt(p, off)
	if off < int64(len(o.first)) {
		copy(p, o.first[off:])
	}
	return n, err
}

// sfdisk has util-linux's program look at a table, where there is one.
func sfdisk(t *testing.T, name string) {
	t.Helper()
	for _, p := range []string{"sfdisk", "/usr/sbin/sfdisk"} {
		if path, err := exec.LookPath(p); err == nil {
			out, err := exec.Command(path, "--verify", name).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "No errors detected") {
				t.Errorf("sfdisk: %v: %s", err, out)
			}
			return
		}
	}
}

// TestSameBytes: the same program gives the same image, wherever and whenever.
func TestSameBytes(t *testing.T) {
	for _, f := range []Format{Raw, QCOW2, ISO, Net} {
		t.Run(string(f), func(t *testing.T) {
			tools.Need(t, Check(f))
			var names [3]string
			for i := range names {
				names[i] = filepath.Join(t.TempDir(), []string{"a", "b=c@@1:d e%'", "a"}[i])
				k := kernel(t, uint64(i/2), 1<<20)
				zone := []string{"UTC", "Asia/Tokyo", "UTC"}[i]
				t.Setenv("TZ", zone)
				t.Setenv("SOURCE_DATE_EPOCH", []string{"", "1700000000", ""}[i])
				if err := Make(t.Context(), names[i], Options{Kernel: k, Format: f}); err != nil {
					t.Fatal(err)
				}
			}
			if !sameFile(t, names[0], names[1]) {
				t.Error("the same program gave two images")
			}
			if sameFile(t, names[0], names[2]) {
				t.Error("two programs gave the same image")
			}
		})
	}
}

// TestFATSize: files of any size fit, and there are as many clusters as make it FAT32.
func TestFATSize(t *testing.T) {
	const step = 1<<20 - 4097
	for n := int64(0); n < fatMaxFile; n += step {
		files := []int64{700_001, 200, n}
		size, cluster := fatSize(files)
		clusters := size / cluster // too many, for the tables
		table := ((clusters+2)*4 + sector - 1) / sector * sector
		clusters = (size - fatReserved - 2*table) / cluster
		used := int64(1 + 2 + 2 + 1) // directories, and one of them with a second cluster
		for _, f := range files {
			used += (f + cluster - 1) / cluster
		}
		if clusters < fatClusters || used > clusters || size-n > 45<<20 {
			t.Fatalf("a file of %d bytes: a file system of %d with %d clusters of %d, of which %d are needed", n, size, clusters, cluster, used)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	seen := map[guid]bool{}
	for _, id := range [][32]byte{{1}, {2}} {
		for _, name := range []string{"disk", "boot", "system", "data"} {
			g := newGUID(id, name)
			if seen[g] || g[7]>>4 != 8 || g[8]>>6 != 2 {
				t.Errorf("%x", g)
			}
			seen[g] = true
		}
	}
}

func TestNet(t *testing.T) {
	tools.Need(t, Check(Net))
	k, name := kernel(t, 1, 1<<20), filepath.Join(t.TempDir(), "net.tar")
	if err := Make(t.Context(), name, Options{Kernel: k, Format: Net}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		data, err := io.ReadAll(r)
		if want, _ := os.ReadFile(k); h.Name == kernelName && !bytes.Equal(data, want) || err != nil {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
	if want := []string{efiName, pxeName, configName, kernelName}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// TestMissing: what is not installed is named, with the command, before anything is done.
func TestMissing(t *testing.T) {
	old := grubFiles
	t.Cleanup(func() { grubFiles = old })
	grubFiles = t.TempDir()
	t.Setenv("PATH", t.TempDir())
	name := filepath.Join(t.TempDir(), "disk")
	for f, want := range map[Format]string{
		Raw:   "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin mtools",
		QCOW2: "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin mtools qemu-utils",
		ISO:   "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin mtools xorriso",
		Net:   "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin",
	} {
		err := Make(t.Context(), name, Options{Kernel: kernel(t, 1, 1000), Format: f})
		if err == nil || !strings.HasSuffix(err.Error(), want) || !strings.Contains(err.Error(), "grub-mkimage, "+grubFiles+"/i386-pc/boot.img") {
			t.Errorf("%s: %v, want %q", f, err, want)
		}
	}
	onlyFiles(t, filepath.Dir(name))
}

func TestRefused(t *testing.T) {
	tools.Need(t, Check(Raw))
	dir := t.TempDir()
	name := filepath.Join(dir, "disk")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := kernel(t, 1, 1<<20)
	for _, c := range []struct {
		file string
		o    Options
		want string
	}{
		{name, Options{Kernel: k, Format: Raw, Size: 36 << 20}, "a size of 36 MiB is too small: the program and its loader need 37 MiB"},
		{name, Options{Kernel: k, Format: Raw, Size: 38<<20 + 1}, "want a multiple of 512"},
		{name, Options{Kernel: k, Format: ISO, Size: 38 << 20}, "a size is for disks"},
		{name, Options{Kernel: k, Format: Net, Size: 38 << 20}, "a size is for disks"},
		{name, Options{Kernel: filepath.Join(dir, "nothing"), Format: Raw}, "nothing: no such file"},
		{filepath.Join(dir, "fifo"), Options{Kernel: k, Format: Raw}, "no ordinary file"},
		{filepath.Join(dir, "no", "disk"), Options{Kernel: k, Format: Raw}, "no such file"},
	} {
		if err := Make(t.Context(), c.file, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	onlyFiles(t, dir, "fifo")
}

// TestFullSaid: what a tool says of a full disk, in many lines, is an error of one that says what to do.
func TestFullSaid(t *testing.T) {
	tools.Need(t, Check(Raw))
	dir, bin := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nprintf 'plain_io: No space left on device\\nBad FAT entry\\n' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "mcopy"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	file := filepath.Join(dir, "disk.raw")
	err := Make(t.Context(), file, Options{Kernel: kernel(t, 1, 1<<20), Format: Raw})
	if want := file + ": mcopy: no space left on device: free some space in " + dir + ", or make the image elsewhere"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	onlyFiles(t, dir)
}

// TestFull: where a file may not grow as large as it has to, as on a full disk, there is
// an error, what was there before is still there, and nothing else.
func TestFull(t *testing.T) {
	if dir := os.Getenv("DISK_TEST_FULL"); dir != "" {
		for _, f := range []Format{Raw, QCOW2, ISO, Net} {
			err := Make(context.Background(), filepath.Join(dir, "disk"), Options{Kernel: filepath.Join(dir, "kernel"), Format: f})
			if err == nil {
				t.Errorf("%s was made", f)
			}
			t.Log(err)
		}
		return
	}
	for _, f := range []Format{Raw, QCOW2, ISO, Net} {
		tools.Need(t, Check(f))
	}
	// In blocks of 512 bytes: GRUB's images fit, the last of the disk's files does not.
	for _, limit := range []string{"1024", "20000"} {
		dir := t.TempDir()
		if err := os.Rename(kernel(t, 1, 12<<20), filepath.Join(dir, "kernel")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "disk"), []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", "ulimit -f "+limit+` && exec "$0" -test.run='^TestFull$' -test.v`, os.Args[0])
		cmd.Env = append(os.Environ(), "DISK_TEST_FULL="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestFull") {
			t.Errorf("limit %s: %v: %s", limit, err, out)
		}
		onlyFiles(t, dir, "disk", "kernel")
		if b, err := os.ReadFile(filepath.Join(dir, "disk")); string(b) != "before" {
			t.Errorf("limit %s: %q, %v", limit, b, err)
		}
	}
}

// TestInterrupted: whoever is told to end in the midst of it leaves nothing.
func TestInterrupted(t *testing.T) {
	tools.Need(t, Check(Raw))
	tools, dir := t.TempDir(), t.TempDir()
	started := filepath.Join(tools, "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tools, "mcopy"), []byte("#!/bin/sh\necho > "+started+"\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("interrupted")
	go func() {
		_, _ = os.ReadFile(started)
		cancel(reason)
	}()
	err := Make(ctx, filepath.Join(dir, "disk"), Options{Kernel: kernel(t, 1, 1<<20), Format: Raw})
	if !errors.Is(err, reason) {
		t.Error(err)
	}
	onlyFiles(t, dir)
}
