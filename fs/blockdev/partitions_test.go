package blockdev

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/internal/tools"
)

const diskSize = 64 << 20

// sfdisk makes a table by util-linux's program of this name, and returns the disk and
// the partitions that it sees there itself.
func sfdisk(t testing.TB, script string) (*os.File, []Partition) {
	t.Helper()
	program := tools.Find(t, "sfdisk", "/usr/sbin/sfdisk")
	name := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(diskSize); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", name)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v: %s", err, out)
	}
	out, err := exec.Command(program, "-J", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		PartitionTable struct {
			Partitions []struct {
				Node        string
				Start, Size int64
				Type        string
			}
		}
	}
	if err := json.Unmarshal(out, &table); err != nil {
		t.Fatal(err)
	}
	var want []Partition
	for _, p := range table.PartitionTable.Partitions {
		if p.Type == "5" || p.Type == "f" {
			continue // one with others in it
		}
		var n int
		fmt.Sscanf(strings.TrimPrefix(p.Node, name), "%d", &n)
		want = append(want, Partition{n, p.Start * 512, p.Size * 512})
	}
	return f, want
}

// TestPartitions: tables are read as util-linux reads them.
func TestPartitions(t *testing.T) {
	for _, script := range []string{
		"label: gpt\n,8M\n,16M\n,\n",
		"label: gpt\nfirst-lba: 34\nstart=100,size=1\nstart=40,size=3\n",
		"label: gpt\n7: size=4M\n3: size=4M\n",
		"label: gpt\ntable-length: 16\n,4M\n",
		"label: dos\n,8M\n,16M\n,\n",
		"label: dos\n,4M\n,40M,E\n,,\n,4M\n,4M\n,4M\n,4M\n",
		"label: dos\n",
		"label: gpt\n",
	} {
		f, want := sfdisk(t, script)
		got, err := Partitions(f, diskSize, 512)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", script, got, err, want)
		}
	}
}

// TestBrokenPartitions: the copy of a GPT serves, and what is wrong is said.
func TestBrokenPartitions(t *testing.T) {
	f, want := sfdisk(t, "label: gpt\n,8M\n,16M\n,\n")
	intact, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	last := diskSize - 512
	for _, tt := range []struct {
		name   string
		change []int // bytes that are other ones
		size   int   // of the disk, 0: all
		says   string
		lost   bool
	}{
		{"header's signature", []int{512}, 0, "signature", false},
		{"header's size", []int{512 + gptOffHeader + 3}, 0, "size", false},
		{"header's CRC", []int{512 + 57}, 0, "header: CRC", false},
		{"an entry", []int{1024 + 33}, 0, "entries: CRC", false},
		{"both headers", []int{512, last}, 0, "its copy", true},
		{"the copy alone", []int{last}, 0, "", false},
		{"cut", nil, 30 << 20, "", false},
	} {
		b := bytes.Clone(intact)
		for _, i := range tt.change {
			b[i] ^= 0xff
		}
		size := len(b)
		if tt.size != 0 {
			size, b = tt.size, b[:tt.size]
		}
		got, err := Partitions(bytes.NewReader(b), int64(size), 512)
		switch {
		case tt.says == "" && tt.size == 0 && (err != nil || !slices.Equal(got, want)):
			t.Errorf("%s: %v, %v", tt.name, got, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: %v, want one that says %q", tt.name, err, tt.says)
		case tt.lost != (len(got) == 0):
			t.Errorf("%s: %v", tt.name, got)
		case tt.size != 0 && (err == nil || len(got) != 2):
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	// No table at all, or the code of a boot sector.
	for _, b := range [][]byte{nil, make([]byte, 512), bytes.Repeat([]byte{0x55, 0xaa}, 4096)} {
		if got, err := Partitions(bytes.NewReader(b), int64(len(b)), 512); err != nil || got != nil {
			t.Errorf("no table: %v, %v", got, err)
		}
	}
}

// FuzzPartitions: whatever is on a disk, the partitions lie on it, apart from each other.
func FuzzPartitions(f *testing.F) {
	for _, script := range []string{"label: gpt\nfirst-lba: 34\nstart=40,size=3\n", "label: dos\nstart=4,size=5\nstart=10,size=90,type=E\nstart=12,size=4\nstart=20,size=4\n"} {
		disk, _ := sfdisk(f, script)
		head := make([]byte, 24<<10)
		disk.ReadAt(head, 0)
		f.Add(head, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, small bool) {
		block := 512
		if !small {
			block = 4096
		}
		list, _ := Partitions(bytes.NewReader(b), int64(len(b)), block)
		for i, p := range list {
			if p.Number < 1 || p.Number > maxPartitions || p.Start < 0 || p.Size <= 0 || p.Start+p.Size > int64(len(b)) || overlapping(list[:i], p) != 0 {
				t.Errorf("%v", list)
			}
		}
	})
}
