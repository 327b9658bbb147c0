package disk

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path"
)

// Sizes of a FAT32 file system, in bytes (Microsoft, FAT32 File System Specification).
const (
	fatClusters = 65525 // the fewest that make it one of FAT32
	fatReserved = 32 * sector
	fatLeast    = 34 << 20  // with clusters of 512 bytes
	fatLarge    = 260 << 20 // from which on clusters have 4096
	fatCluster  = 4096
	fatSlack    = 256 << 10 // directories, and what the tables take for themselves
	fatMaxFile  = 4<<30 - 1
)

// hostFile is a file in the maker's directory, and the name that it is to have on a disk.
type hostFile struct{ host, name string }

// fatSizeOf returns the size of a FAT32 file system that the files fit into, and of its
// clusters.
func (m *maker) fatSizeOf(files []hostFile) (size, cluster int64, err error) {
	var sizes []int64
	for _, f := range files {
		info, err := os.Stat(m.path(f.host))
		if err != nil {
			return 0, 0, err
		}
		if info.Size() > fatMaxFile {
			return 0, 0, fmt.Errorf("%s: %d bytes, and a file on an EFI system partition has less than 4 GiB", f.name, info.Size())
		}
		sizes = append(sizes, info.Size())
	}
	size, cluster = fatSize(sizes)
	return size, cluster, nil
}

// fatSize is fatSizeOf for files of these sizes.
func fatSize(files []int64) (size, cluster int64) {
	size = fatSlack
	for _, n := range files {
		size += (n + fatCluster - 1) &^ (fatCluster - 1)
	}
	cluster = sector
	if size >= fatLarge {
		cluster = fatCluster
	}
	size += fatReserved + 2*4*(size/cluster+1) // two tables with 4 bytes for a cluster
	return max((size+1<<20-1)&^(1<<20-1), fatLeast), cluster
}

// makeFAT makes a FAT file system of size bytes at the byte start of a file, and copies
// files there; kind are options of mformat that say which.
func (m *maker) makeFAT(ctx context.Context, file string, start, size int64, files []hostFile, kind ...string) error {
	drive := fmt.Sprintf("%s@@%d", file, start)
	args := append([]string{"-i", drive, "-T", fmt.Sprint(size / sector), "-h", "255", "-s", "63", "-H", fmt.Sprint(start / sector),
		"-v", "YOLK", "-N", fmt.Sprintf("%08x", binary.BigEndian.Uint32(m.id[:]))}, kind...)
	if err := m.run(ctx, &mformat, append(args, "::")...); err != nil {
		return err
	}
	made := map[string]bool{".": true}
	for _, f := range files {
		var dirs []string
		for d := path.Dir(f.name); !made[d]; d = path.Dir(d) {
			made[d] = true
			dirs = append([]string{"::" + d}, dirs...)
		}
		if dirs != nil {
			if err := m.run(ctx, &mmd, append([]string{"-i", drive}, dirs...)...); err != nil {
				return err
			}
		}
		if err := m.run(ctx, &mcopy, "-i", drive, f.host, "::"+f.name); err != nil {
			return err
		}
	}
	return nil
}
