package diskfs_test

import (
	"bytes"
	"encoding/binary"
	"io"
	gofs "io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/erofs"
	"github.com/yolkos/yolk/fs/diskfs/ext4"
	"github.com/yolkos/yolk/fs/diskfs/squashfs"
)

// FuzzOpen changes bytes of small images. Whatever comes of it, all that can be reached is looked
// at and a part of each file read, and no format panics. An image is told by changes of
// one: 8 bytes each, a place and what is there then.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sub/deeper"), 0o755); err != nil {
		f.Fatal(err)
	}
	for name, text := range map[string]string{"a": "short", "sub/large": strings.Repeat("0123456789", 30_000), "sub/deeper/b": "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		f.Fatal(err)
	}
	var list [][]byte
	for _, name := range slices.Sorted(maps.Keys(images)) {
		list = append(list, unsummed(f, name))
	}
	for _, m := range makers {
		if m.program == "mkfs.erofs" {
			continue
		}
		args := strings.Replace(m.args, "48M", "1M", 1)
		args = strings.Replace(args, "FILE 1M", "-N 32 -O ^has_journal,^resize_inode FILE 1M", 1)
		b, err := os.ReadFile(makeImage(f, m.program, args, dir))
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, b)
	}
	for i := range list {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{24, 4, 0, 0, 9, 0, 0, 0})
		f.Add(uint8(i), []byte{64, 0, 0, 0, 255, 255, 255, 127})
	}
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		b := bytes.Clone(list[int(which)%len(list)])
		for ; len(changes) >= 8; changes = changes[8:] {
			copy(b[int(binary.LittleEndian.Uint32(changes))%len(b):], changes[4:8])
		}
		d := diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))}
		for _, open := range []func() (diskfs.Volume, error){
			func() (diskfs.Volume, error) { return ext4.Open(d, true) },
			func() (diskfs.Volume, error) { return squashfs.Open(d) },
			func() (diskfs.Volume, error) { return erofs.Open(d) },
		} {
			v, err := open()
			if err != nil {
				continue
			}
			look(t, diskfs.New(v, func(err error) {
				if strings.HasPrefix(err.Error(), "not understood") {
					t.Error(err)
				}
			}))
		}
	})
}

// look goes through a file system, up to some number of files.
func look(t *testing.T, f *diskfs.FS) {
	left := 200
	buf := make([]byte, 5000)
	_ = gofs.WalkDir(f, ".", func(name string, d gofs.DirEntry, err error) error {
		if left--; left < 0 {
			return gofs.SkipAll
		}
		if err != nil {
			return nil // of a directory; the others are looked at
		}
		_, _ = f.ReadLink(name)
		if file, err := f.Open(name); err == nil {
			info, _ := file.Stat()
			at := file.(io.ReaderAt)
			for _, off := range []int64{0, info.Size() / 2, info.Size() - 10} {
				if n, err := at.ReadAt(buf, max(off, 0)); n < 0 || n > len(buf) || err == nil && n < len(buf) {
					t.Errorf("%s: read %d of %d: %v", name, n, len(buf), err)
				}
			}
			file.Close()
		}
		return nil
	})
}

// TestCorrupt: what is wrong is told with its table and field.
func TestCorrupt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		maker int
		at    int
		b     string
		want  string
	}{
		{0, 1024 + 24, "\x09", "superblock: s_log_block_size is 9"},
		{0, 1024 + 4, "\xff\xff\xff\x7f", "superblock: s_blocks_count is 2147483647"},
		{0, 1024 + 88, "\x07", "superblock: s_inode_size is 263"},
		{0, 1024 + 96, "\xc2\x82", "feature inline_data is not supported"},
		{0, 1024 + 96, "\xc6\x02", "needs_recovery"},
		{1, 12, "\x01", "superblock: block_size is 131073"},
		{1, 20, "\x03", "lzo is not supported"},
		{1, 20, "\x06", "no frame of Zstandard"},
		{1, 48, "\xff\xff", "superblock: id_table_start"},
	} {
		m := makers[c.maker]
		b, err := os.ReadFile(makeImage(t, m.program, m.args, dir))
		if err != nil {
			t.Fatal(err)
		}
		copy(b[c.at:], c.b)
		d := diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))}
		if c.maker == 0 {
			_, err = ext4.Open(d, false)
		} else {
			_, err = squashfs.Open(d)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q at %d: %v, want %q", c.b, c.at, err, c.want)
		}
	}
}
