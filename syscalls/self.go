package syscalls

import (
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// The methods below are for /proc/self; see procfs.Process.

// Descriptors lists the open descriptors, lowest first.
func (k *Kernel) Descriptors() []int {
	slots := *k.table.slots.Load()
	var list []int
	for fd := range slots {
		if slots[fd].Load() != nil {
			list = append(list, fd)
		}
	}
	return list
}

// Descriptor tells what fd is, in words, and where, with a reference; nil if
// it is not open.
func (k *Kernel) Descriptor(fd int) (string, *fs.Dentry) {
	d, e := k.table.get(fd)
	if e != 0 {
		return "", nil
	}
	defer d.put()
	d.dentry.Ref()
	return k.vfs.Describe(d.dentry), d.dentry
}

// oLargefile is in the flags of what was opened by path, and not with O_PATH, on amd64 too:
// F_GETFL and fdinfo show it.
const oLargefile = 0x8000

// DescriptorState tells how fd stands: its O_ flags as Linux's fdinfo has them, its
// position in bytes (while a call is about to move it, where it stood when somebody
// last asked), and the lines that only its kind of file has.
func (k *Kernel) DescriptorState(fd int) (flags int, pos int64, lines []byte, ok bool) {
	s, e := k.table.slot(fd)
	if e != 0 {
		return 0, 0, nil, false
	}
	d := s.desc
	defer d.put()
	flags = int(d.flags.Load())
	if s.cloexec.Load() {
		flags |= syscall.O_CLOEXEC
	}
	if d.stream == nil {
		// A call that moves the position holds mu, perhaps for long; and it may
		// be this one, of a directory that lists fdinfo.
		if d.mu.TryLock() {
			d.shown.Store(d.pos)
			d.mu.Unlock()
		}
		pos = d.shown.Load()
	}
	if f, is := d.file.(fs.FdinfoFile); is {
		lines = f.Fdinfo(nil)
	}
	return flags, pos, lines, true
}

// FDSize is how many descriptors the table has room for.
func (k *Kernel) FDSize() int { return len(*k.table.slots.Load()) }

// CurrentUmask is what Umask last set.
func (k *Kernel) CurrentUmask() uint32 { return k.umask.Load() }

// WorkingDir is the working directory, with a reference.
func (k *Kernel) WorkingDir() (string, *fs.Dentry) {
	k.places.RLock()
	defer k.places.RUnlock()
	return k.place(k.cwd)
}

// RootDir is the root directory, with a reference.
func (k *Kernel) RootDir() (string, *fs.Dentry) {
	k.places.RLock()
	defer k.places.RUnlock()
	return k.place(k.root)
}

func (k *Kernel) place(d *fs.Dentry) (string, *fs.Dentry) {
	if d == nil {
		d, err := k.vfs.Walk(fs.Base{}, "/", true)
		if err != nil {
			return "", nil
		}
		return "/", d
	}
	d.Ref()
	return k.vfs.Describe(d), d
}

// transfers counts calls and their bytes.
type transfers struct{ calls, bytes atomic.Uint64 }

func (t *transfers) add(n int) {
	t.calls.Add(1)
	if n > 0 {
		t.bytes.Add(uint64(n))
	}
}

// Transfers is how many calls have read and written, and how many bytes.
func (k *Kernel) Transfers() (reads, readBytes, writes, writtenBytes uint64) {
	return k.reads.calls.Load(), k.reads.bytes.Load(), k.writes.calls.Load(), k.writes.bytes.Load()
}

// EachMapping calls f for the parts of all mappings that have one protection, by
// address. At is the file's place, nil where there is none; it is f's during the
// call only.
func (k *Kernel) EachMapping(f func(start, end uint64, prot int, shared bool, off int64, at *fs.Dentry)) {
	type part struct {
		start, end uint64
		prot       int
		shared     bool
		off        int64
		at         *fs.Dentry
	}
	var parts []part
	k.maps.mu.Lock()
	for _, m := range k.maps.all {
		start, end := uint64(address(m.data)), len(m.data)/pageSize
		for i, p := range m.protections {
			last := end
			if i+1 < len(m.protections) {
				last = m.protections[i+1].first
			}
			from := uint64(p.first) * pageSize
			x := part{start + from, start + uint64(last)*pageSize, p.prot, m.shared, m.off + int64(from), nil}
			if m.desc != nil {
				x.at = m.desc.dentry
				x.at.Ref()
			}
			parts = append(parts, x)
		}
	}
	k.maps.mu.Unlock()
	for _, x := range parts {
		f(x.start, x.end, x.prot, x.shared, x.off, x.at)
		if x.at != nil {
			x.at.Put()
		}
	}
}
