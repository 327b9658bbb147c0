// Package ops is what cmd/bench/count and the programs that it runs, cmd/bench/ops and
// cmd/bench/netops, know of each other: the rows, and the lines in which the programs
// tell of them; and how they count.
package ops

import (
	"fmt"
	"slices"
	"strings"
)

// File systems, the first word of a row that is about one.
const (
	Tmpfs    = "tmpfs"
	Virtiofs = "virtio-fs" // with everything in the guest's caches
)

// Waits tells of a row whose operation goes to the server of virtio-fs and waits for it.
func Waits(name string) bool {
	of, ok := strings.CutPrefix(name, Virtiofs+" ")
	return ok && slices.Contains([]string{
		"open+close", "getdents 101", "stat missing", "pwrite 64", "create+remove", "mkdir+rmdir", "rename two", UnderLoad,
		"os.ReadDir 101", "os.ReadFile 4096", "os.Stat missing",
		"os.Create+os.Remove", "os.Mkdir+os.Remove", "os.Rename two", "os.WriteFile 4096",
	}, of)
}

// UnderLoad is the row, of virtio-fs, of a request while others are in flight.
const UnderLoad = "stat missing, 16 goroutines"

// Boot is the row that is no operation: from the reset to main. It is the first word of
// the rows of its stages as well.
const Boot = "boot"

// Firmware is the row of the boot's first stage: QEMU's firmware, which differs from host to host, and the
// entry.
const Firmware = Boot + " 00 firmware, entry"

// Loopback is the first word of rows of the network within the guest, which netops has.
const Loopback = "loopback"

const result = "ops result "

// Row is what a program tells of an operation.
type Row struct {
	Name         string
	Instructions float64 // of one
	// Notifications of one to virtio devices, where the guest has counted them: which of
	// them go to another process QEMU does not log.
	Notifications float64
	Number        int // by which the row is marked; 0: boot
	Batch         int // how many operations are between two marks
}

// Marks: what the programs write to guest.MarkPort when a batch of a row's operations
// begins is the row's number, and this when it ends. The boot begins with the machine.
const MarkEnd = 0

// Unmarked is the number of a row that has no marks.
const Unmarked = -1

// String is the line of a row.
func (r Row) String() string {
	return fmt.Sprintf("%s%.2f %.2f %d %d %s", result, r.Instructions, r.Notifications, r.Number, r.Batch, r.Name)
}

// Parse reads the line of a row.
func Parse(line string) (r Row, ok bool) {
	rest, ok := strings.CutPrefix(line, result)
	if !ok {
		return r, false
	}
	word := strings.SplitN(rest, " ", 5)
	if len(word) != 5 || word[4] == "" {
		return r, false
	}
	r.Name = word[4]
	n, err := fmt.Sscan(strings.Join(word[:4], " "), &r.Instructions, &r.Notifications, &r.Number, &r.Batch)
	return r, n == 4 && err == nil && r.Batch > 0 && r.Number >= Unmarked
}
