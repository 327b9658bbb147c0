package devfs

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// OpenNode opens a device by its node n.
type OpenNode func(n fs.Node, flags int) (fs.File, error)

// AddDevice adds a character device with these permissions. Open is called for
// each open of it, and for those of nodes with its number elsewhere.
func (f *FS) AddDevice(path string, perm uint32, major, minor uint64, open OpenNode) {
	n := f.newOpener(perm, makedev(major, minor), open)
	f.devices = append(f.devices, n)
	f.Dir().Add(path, n)
}

// AddDevices adds a directory of character devices that come and go: the numbers
// that list returns. Rdev is the device number of one.
func (f *FS) AddDevices(path string, perm uint32, list func() []int, rdev func(n int) uint64, open func(number int, n fs.Node, flags int) (fs.File, error)) {
	var mu sync.Mutex
	nodes := make(map[int]*opener)
	f.Dir().Add(path, f.NewNumbered(0o755, list, func(i int) fs.Node {
		there := false
		for _, n := range list() {
			there = there || n == i
		}
		if !there {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if nodes[i] == nil {
			nodes[i] = f.newOpener(perm, rdev(i), func(n fs.Node, flags int) (fs.File, error) { return open(i, n, flags) })
		}
		return nodes[i]
	}))
}

// AddBlockDevice is AddDevice for a block device.
func (f *FS) AddBlockDevice(path string, perm uint32, major, minor uint64, open OpenNode) {
	n := f.newOpener(perm, makedev(major, minor), open)
	n.Mode = syscall.S_IFBLK | perm
	f.devices = append(f.devices, n)
	f.Dir().Add(path, n)
}

// opener is the node of a device that is opened by a function.
type opener struct {
	synth.Base
	open OpenNode
}

func (f *FS) newOpener(perm uint32, rdev uint64, open OpenNode) *opener {
	n := &opener{f.Base(syscall.S_IFCHR | perm), open}
	n.Rdev = rdev
	return n
}

// OpenDevice implements fs.Device.
func (n *opener) OpenDevice(flags int) (fs.File, error) { return n.open(n, flags) }

func (n *opener) number() uint64 { return n.Rdev }
