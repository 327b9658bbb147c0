package names

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		id   uint32
		set  uint64
		want string
	}{
		{1, 1<<5 | 1<<15 | 1<<32, "NET_F_MAC NET_F_MRG_RXBUF F_VERSION_1"},
		{2, 1<<9 | 1<<29, "BLK_F_FLUSH F_EVENT_IDX"},
		{26, 1, "FS_F_NOTIFICATION"},
		{4, 1 << 3, "bit 3"},
		{999, 1 | 1<<63, "bit 0 bit 63"},
		{1, 0, ""},
	} {
		if got := strings.Join(Features(tt.id, tt.set), " "); got != tt.want {
			t.Errorf("device %d, %#x: %q, want %q", tt.id, tt.set, got, tt.want)
		}
	}
	if Device(26) != "file system device" || Device(999) != "device type 999" {
		t.Errorf("%q, %q", Device(26), Device(999))
	}
}

// The names are those of Linux's headers, where those follow the specification and both
// know the bit.
func TestHeaders(t *testing.T) {
	ids := map[string]uint32{"net": 1, "blk": 2, "console": 3, "balloon": 5, "scsi": 8, "gpu": 16, "vsock": 19, "iommu": 23, "mem": 24, "i2c": 34, "gpio": 41, "config": 0, "ring": 0}
	own := []string{"BALLOON_F_REPORTING", "TRANSPORT_F_START", "TRANSPORT_F_END"}
	define := regexp.MustCompile(`(?m)^\s*#define\s+VIRTIO_(?:RING_)?((?:[A-Z0-9]+_)?F_\w+)\s+(\d+)\b`)
	files, _ := filepath.Glob("/usr/include/linux/virtio_*.h") // the pattern is well-formed
	seen := 0
	for _, file := range files {
		kind := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "virtio_"), ".h")
		id, ok := ids[kind]
		if !ok {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range define.FindAllStringSubmatch(string(text), -1) {
			if slices.Contains(own, m[1]) {
				continue
			}
			seen++
			bit, _ := strconv.Atoi(m[2])
			if got := Feature(id, bit); got != m[1] && got != "bit "+m[2] { // the headers may be newer
				t.Errorf("%s: bit %d is %s, not %s", file, bit, m[1], got)
			}
		}
	}
	if seen == 0 {
		t.Skip("no headers of Linux here")
	}
}
