package diskfs_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	gofs "io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/erofs"
)

var update = flag.String("update", "", "make the images of testdata of this version of mkfs.erofs anew, as root; it is $MKFS_EROFS, or the one in PATH")

// images are those of testdata, with the version of mkfs.erofs and its options for each: one for each
// layout of data and each compression. "go test ./fs/diskfs -run TestImages -update 1.5" makes those anew that 1.5 has made.
var images = map[string]struct{ version, options string }{
	"plain":    {"1.5", "-Enoinline_data"},
	"inline":   {"1.5", ""},
	"lz4":      {"1.5", "-zlz4"},
	"big":      {"1.5", "-zlz4hc -C65536"},
	"tail":     {"1.5", "-zlz4 -Eztailpacking"},
	"full":     {"1.5", "-zlz4 -Elegacy-compress"},
	"chunks":   {"1.5", "--chunksize=8192"},
	"deflate":  {"1.8", "-zdeflate"},
	"zstd":     {"1.8", "-zzstd -C65536"},
	"lzma":     {"1.8", "-zlzma -Eztailpacking"},
	"fragment": {"1.8", "-zlz4hc -Efragments"},
	"whole":    {"1.8", "-zdeflate -Eall-fragments -C65536"},
	"dedupe":   {"1.8", "-zlz4 -Ededupe"},
	"parts":    {"1.8", "-zzstd -Efragments,dedupe"},
}

// node is a file of the images.
type node struct {
	mode     uint32
	uid, gid uint32
	text     string // of a link too
	rdev     uint64
	nlink    uint64
	attr     string // the value of user.x
}

// tree is what the images have.
func tree() map[string]node {
	numbers, noise := "", make([]byte, 5000)
	for i := range 9000 {
		numbers += fmt.Sprint(i, "|")
	}
	for i, x := 0, uint32(7); i < len(noise); i++ {
		x = x*1103515245 + 12345
		noise[i] = byte(x >> 16)
	}
	file := func(text string) node { return node{mode: syscall.S_IFREG | 0o644, text: text, nlink: 1} }
	dir := node{mode: syscall.S_IFDIR | 0o755}
	t := map[string]node{
		"empty": file(""), "numbers": file(numbers), "zeroes": file(strings.Repeat("\x00", 20000)), "noise": file(string(noise)),
		"mixed": file(numbers[:7000] + string(noise) + numbers[:9000]), "block": file(numbers[:4096]),
		"sub": dir, "sub/deeper": dir, "many": dir,
		"a":            {mode: syscall.S_IFREG | 0o4755, text: "short", nlink: 2},
		"sub/same":     {mode: syscall.S_IFREG | 0o4755, text: "short", nlink: 2},
		"sub/deeper/b": {mode: syscall.S_IFREG | 0o600, uid: 70000, gid: 80000, text: "b\n", nlink: 1},
		"attr":         {mode: syscall.S_IFREG | 0o644, text: "with an attribute", nlink: 1, attr: "value"},
		"link":         {mode: syscall.S_IFLNK | 0o777, text: "sub/deeper/b", nlink: 1},
		"fifo":         {mode: syscall.S_IFIFO | 0o644, nlink: 1},
		"null":         {mode: syscall.S_IFCHR | 0o666, rdev: 1<<8 | 3, nlink: 1},
		"disk":         {mode: syscall.S_IFBLK | 0o660, rdev: 259<<8 | 0xf0, nlink: 1},
	}
	for i := range 150 { // more than a block has room for
		t[fmt.Sprintf("many/a file whose name is rather long, number %d", i)] = file("")
	}
	return t
}

// updateImages makes the images.
func updateImages(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	all := tree()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n, at := all[name], filepath.Join(root, name)
		var err error
		switch n.mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
			err = os.Mkdir(at, 0o755)
		case syscall.S_IFREG:
			if name == "sub/same" {
				err = os.Link(filepath.Join(root, "a"), at)
			} else {
				err = os.WriteFile(at, []byte(n.text), 0o600)
			}
		case syscall.S_IFLNK:
			err = os.Symlink(n.text, at)
		default:
			err = syscall.Mknod(at, n.mode, int(n.rdev))
		}
		err = errors.Join(err, os.Lchown(at, int(n.uid), int(n.gid)))
		if n.mode&syscall.S_IFMT != syscall.S_IFLNK {
			err = errors.Join(err, syscall.Chmod(at, n.mode&0o7777))
		}
		if n.attr != "" {
			err = errors.Join(err, syscall.Setxattr(at, "user.x", []byte(n.attr), 0))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	program := cmp.Or(os.Getenv("MKFS_EROFS"), "mkfs.erofs")
	for name, i := range images {
		if i.version != *update {
			continue
		}
		file := filepath.Join(t.TempDir(), "image")
		args := append(strings.Fields("--quiet -T1000000000 -U00000000-0000-0000-0000-000000000001 "+i.options), file, root)
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Fatalf("mkfs.erofs %v: %v\n%s", args, err, out)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		_, err = w.Write(b)
		if err := errors.Join(err, w.Close(), os.MkdirAll("testdata", 0o755), os.WriteFile("testdata/"+name+".erofs.gz", packed.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// image reads one of testdata.
func image(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".erofs.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unsummed is an image whose superblock has no sum, so that it may be changed.
func unsummed(t testing.TB, name string) []byte {
	b := image(t, name)
	b[1024+8] &^= 1 // feature_compat
	return b
}

func disk(b []byte) diskfs.Disk { return diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))} }

// TestImages: images of all layouts have what they were made of.
func TestImages(t *testing.T) {
	if *update != "" {
		updateImages(t)
	}
	for name := range images {
		t.Run(name, func(t *testing.T) {
			v, err := erofs.Open(disk(image(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			f := diskfs.New(v, func(err error) { t.Error(err) })
			want := tree()
			err = gofs.WalkDir(f, ".", func(at string, d gofs.DirEntry, err error) error {
				if err != nil || at == "." {
					return err
				}
				n, ok := want[at]
				if delete(want, at); !ok {
					t.Errorf("%s: it should not be there", at)
					return nil
				}
				info, err := d.Info()
				if err != nil {
					return err
				}
				st := info.Sys().(*syscall.Stat_t)
				if st.Mode != n.mode || st.Uid != n.uid || st.Gid != n.gid || st.Rdev != n.rdev || n.nlink > 0 && st.Nlink != n.nlink || st.Mtim.Sec != 1e9 {
					t.Errorf("%s: %+v, want %+v", at, st, n)
				}
				switch n.mode & syscall.S_IFMT {
				case syscall.S_IFLNK:
					if text, err := f.ReadLink(at); text != n.text {
						t.Errorf("%s: %q, %v", at, text, err)
					}
				case syscall.S_IFREG:
					readAll(t, f, at, n.text)
				}
				return nil
			})
			if err != nil || len(want) > 0 {
				t.Errorf("%v; not there: %q", err, slices.Collect(maps.Keys(want)))
			}
		})
	}
}

// readAll reads a file whole, and parts of it across all kinds of borders.
func readAll(t *testing.T, f *diskfs.FS, name, want string) {
	t.Helper()
	got, err := gofs.ReadFile(f, name)
	if err != nil || string(got) != want {
		t.Errorf("%s: %d bytes, %v, want %d, or other ones", name, len(got), err, len(want))
	}
	file, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for off := len(want) - 1; off >= 0; off -= 1237 {
		part := want[off:min(off+3000, len(want))]
		b := make([]byte, len(part))
		if n, err := file.(io.ReaderAt).ReadAt(b, int64(off)); n != len(b) || string(b) != part {
			t.Errorf("%s: %d of %d bytes at %d, %v, or other ones", name, n, len(b), off, err)
		}
	}
}

// TestCorruptEROFS: what is wrong is told with its table and field, by who opens the file system or
// reads it all.
func TestCorruptEROFS(t *testing.T) {
	const super = 1024
	for _, c := range []struct {
		image string
		at    int
		b     string
		want  string
	}{
		{"lz4", super + 12, "\x08", "superblock: blkszbits is 8"},
		{"lz4", super + 14, "\xff\xff", "inode 65535: nid is 65535"},
		{"lz4", super + 36, "\xff\xff", "superblock: blocks is "},
		{"lz4", super + 40, "\x00\x00\x01", "superblock: meta_blkaddr is 65536"},
		{"lz4", super + 80, "\x81", "superblock: feature_incompat: the feature 48bit is not supported"},
		{"lz4", super + 80, "\x01\x10", "superblock: feature_incompat: the feature bit 0x1000 is not supported"},
		{"lz4", super + 80, "\x03\x00\x00\x00\x11\x00", "superblock: available_compr_algs: 0x11 is not supported"},
		{"lz4", super + 86, "\x02", "superblock: extra_devices: 2 other devices"},
		{"lz4", super + 90, "\x01", "superblock: dirblkbits: 1"},
	} {
		b := unsummed(t, c.image)
		copy(b[c.at:], c.b)
		if _, err := erofs.Open(disk(b)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q at %d: %v, want %q", c.b, c.at, err, c.want)
		}
	}
	b := image(t, "lz4")
	b[super+100] ^= 1
	if _, err := erofs.Open(disk(b)); err == nil || !strings.Contains(err.Error(), "superblock: checksum is ") {
		t.Errorf("another byte in the superblock: %v", err)
	}
	for _, c := range []struct {
		image, file string
		at          int // from the inode
		b           string
		want        string
	}{
		{"inline", "a", 0, "\x20", "i_format is 32"},
		{"inline", "a", 0, "\x0e", "i_format: data layout is 7"},
		{"inline", "a", 8, "\xff\x0f", "i_size is 4095"},
		{"inline", "noise", 16, "\xff\xff\xff\x00", "i_u.raw_blkaddr is "},
		{"inline", "fifo", 4, "\x00\x00", "i_mode is 0"},
		{"inline", "link", 8, "\x00", "i_size is 0"},
		{"inline", "link", 8, "\x00\x20", "i_size is 8192"},
		{"inline", "many", 8, "\x05\x00", "i_size is 5"},
		{"inline", "many", 8, "\x00\x00\x00\x20", "i_size is 536"},
		{"chunks", "noise", 16, "\x40", "i_u.c.format: 0x40"},
		{"chunks", "noise", 32, "\xff\xff\xff\x00", "blkaddr of a chunk is "},
		{"lz4", "numbers", 32 + 4, "\x40", "h_advise: 0x4"},
		{"lz4", "numbers", 32 + 6, "\x02", "extent at 0: flate: corrupt input"},
		{"lz4", "numbers", 32 + 6, "\x01", "extent at 0: bytes are not what xz or lzma makes"},
		{"lz4", "numbers", 32 + 6, "\x03", "extent at 0: bytes are not what zstd makes"},
		{"lz4", "numbers", 32 + 6, "\x40", "h_algorithmtype: number 4 is not supported"},
		{"lz4", "numbers", 32 + 7, "\x08", "h_clusterbits is 8"},
		{"lz4", "numbers", 32 + 7, "\x07", "compact indexes of logical clusters of 524288 bytes"},
		{"lz4", "numbers", 32 + 7, "\x80", "h_fragmentoff is 4294967296 (0x100000000), want nothing: the superblock has no packed_nid"},
		{"whole", "numbers", 32, "\x00\x00\x00\x10", "h_fragmentoff is 268435456 (0x10000000), want a place of "},
		{"fragment", "numbers", 32, "\x00\x00\x00\x10", "h_fragmentoff is 268435456 (0x10000000), want a place of "},

		{"lz4", "numbers", 32 + 8, "\xff\x1f", "index 0: distance to the first one is 1"},
		{"lz4", "numbers", 32 + 8, "\x01\x20", "index 0: distance to the first one is 1"},
		{"full", "numbers", 32 + 16, "\x01\x00\x00\x10", "index 0: di_clusterofs is 4096"},
		{"full", "numbers", 32 + 16 + 4, "\xff\xff\xff\x7f", "extent at 0 is "},
		{"tail", "numbers", 32 + 2, "\x00\x00", "h_idata_size is 0"},
		{"tail", "numbers", 32 + 2, "\xff\xff", "h_idata_size is 65535"},
	} {
		b := unsummed(t, c.image)
		v, err := erofs.Open(disk(b))
		if err != nil {
			t.Fatal(err)
		}
		var st syscall.Stat_t
		info, err := gofs.Stat(diskfs.New(v, func(error) {}), c.file)
		if err != nil {
			t.Fatal(err)
		}
		st = *info.Sys().(*syscall.Stat_t)
		copy(b[int(binary.LittleEndian.Uint32(b[super+40:]))<<b[super+12]+int(st.Ino)*32+c.at:], c.b)
		if v, err = erofs.Open(disk(b)); err != nil {
			t.Fatal(err)
		}
		f := diskfs.New(v, func(error) {})
		_, err = f.Lstat(c.file)
		if err == nil {
			_, err = f.ReadLink(c.file)
		}
		if errors.Is(err, syscall.EINVAL) {
			_, err = f.ReadDir(c.file)
		}
		if errors.Is(err, syscall.ENOTDIR) {
			_, err = gofs.ReadFile(f, c.file)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s, %q at %d: %v, want %q", c.image, c.file, c.b, c.at, err, c.want)
		}
	}
}
