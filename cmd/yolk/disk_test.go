package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuestDisk: what a program writes to a disk is in the host's file, at its places and
// nowhere else; the second disk has partitions and is read-only.
func TestGuestDisk(t *testing.T) {
	needGuest(t)
	dir := program(t, "disk")
	const size = 8 << 20
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			first, second := filepath.Join(t.TempDir(), "first, with a comma"), filepath.Join(t.TempDir(), "second")
			before := bytes.Repeat([]byte("."), size)
			if err := os.WriteFile(first, before, 0o600); err != nil {
				t.Fatal(err)
			}
			// A master boot record with two partitions, of which the second is at 1 MiB.
			b := make([]byte, 2<<20)
			for i, p := range [][2]uint32{{8, 100}, {2048, 16}} {
				e := b[446+16*i:]
				e[4] = 0x83
				binary.LittleEndian.PutUint32(e[8:], p[0])
				binary.LittleEndian.PutUint32(e[12:], p[1])
			}
			b[510], b[511] = 0x55, 0xaa
			copy(b[1<<20:], "what was there")
			if err := os.WriteFile(second, b, 0o400); err != nil {
				t.Fatal(err)
			}
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--cpus", "2", "--disk", first, "--disk", second+":ro", ".", "--", "hello, disk"))
			want := `vda 8388608 8388608 512 0 Drw-rw----
write /dev/vda: no space left on device
vdb2 8192 "what was there"
open /dev/vdb: read-only file system
hello
major minor  #blocks  name

 254        0       8192 vda
 254       16       2048 vdb
 254       17         50 vdb1
 254       18          8 vdb2
`
			if got.status != 0 || got.stdout != want {
				t.Errorf("%+v, want %s", got, want)
			}
			copy(before[100:], strings.Repeat("hello, disk", 640))
			copy(before[4<<20:], bytes.Repeat([]byte("0123456789abcdef"), 3<<16))
			clear(before[4<<20 : 5<<20])
			after, err := os.ReadFile(first)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(after, before) {
				for i := range after {
					if after[i] != before[i] {
						t.Errorf("byte %d is %q, want %q", i, after[i], before[i])
						break
					}
				}
			}
		})
	}
	for arg, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file or directory",
		dir:                        "is a directory",
		os.DevNull:                 "not a file or block device",
		"main.go":                  "a disk has a multiple of 512",
		":ro":                      "want FILE",
	} {
		got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--disk", arg, "."))
		if got.status != 125 || !strings.Contains(got.stderr, want) {
			t.Errorf("--disk %s: %+v, want %q", arg, got, want)
		}
	}
}
