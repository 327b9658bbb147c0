//go:build tamago

package kernel

import (
	"os"
	"runtime"
	"syscall"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/procfs"
)

const pageSize = 4096 // bytes

//go:linkname getAuxv runtime.getAuxv
func getAuxv() []uintptr

// self is the program, as /proc/self shows it.
func (m *machine) self() *procfs.Self {
	return &procfs.Self{
		Process:    m.calls,
		Pid:        os.Getpid(),
		Args:       func() []string { return os.Args },
		Env:        os.Environ,
		Auxv:       getAuxv,
		Name:       func() string { return m.calls.ThreadName(os.Args[0]) },
		SetName:    m.calls.SetThreadName,
		Executable: m.executable,
		Usage:      m.usage,
		Regions:    m.regions,
		Limits:     m.limits,
		Mounts:     m.vfs.Mounts,
		Internal:   m.vfs.Internal,
		Network:    m.calls.NetworkFiles,
	}
}

func (m *machine) usage() procfs.Usage {
	up, idle := m.uptime()
	u := procfs.Usage{
		User:   time.Duration(amd64.CPUs())*up - idle,
		CPUs:   amd64.CPUs(),
		Umask:  m.calls.CurrentUmask(),
		FDSize: m.calls.FDSize(),
	}
	u.UID[0], u.UID[1], u.UID[2] = m.calls.Getresuid()
	u.GID[0], u.GID[1], u.GID[2] = m.calls.Getresgid()
	u.Groups = m.calls.Getgroups()
	caps, bounding, noNewPrivs := m.calls.Privileges()
	u.Capabilities = procfs.Capabilities{Inheritable: caps.Inheritable, Permitted: caps.Permitted, Effective: caps.Effective, Bounding: bounding}
	u.NoNewPrivs = noNewPrivs
	u.ReadCalls, u.ReadChars, u.WriteCalls, u.WriteChars = m.calls.Transfers()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	header, code, constants, data := amd64.Image()
	image := header.Size() + code.Size() + constants.Size() + data.Size()
	for _, r := range m.regionsOf(&s) {
		u.Memory.Virtual += r.End - r.Start
		u.Memory.Resident += r.Resident
		if r.Ino != 0 {
			u.Memory.File += r.Resident
		}
	}
	u.Memory.Text = code.Size()
	u.Memory.Data = u.Memory.Virtual - image + data.Size()
	u.Memory.Stack = s.StackInuse
	return u
}

// regions lists what the addresses of the machine are used for, but for devices.
func (m *machine) regions() []procfs.Region {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return m.regionsOf(&s)
}

func (m *machine) regionsOf(s *runtime.MemStats) []procfs.Region {
	var list []procfs.Region
	name, exe := m.executable()
	file := procfs.Region{Name: name}
	if exe != nil {
		var a fs.Attr
		_ = exe.Getattr(&a) // without it there is no inode number
		file.Dev, file.Ino = exe.Dev(), a.Ino
		exe.Put()
	}
	header, code, constants, data := amd64.Image()
	for _, part := range []struct {
		r    amd64.Range
		perm string
	}{{header, "r--p"}, {code, "r-xp"}, {constants, "r--p"}, {data, "rw-p"}} {
		r := file
		r.Start, r.End, r.Perm, r.Resident = part.r.Start, part.r.End, part.perm, part.r.Size()
		r.Offset = part.r.Start - header.Start
		list = append(list, r)
	}
	// The runtime has all the RAM; what it has used and not given back is resident.
	used := (s.Sys - s.HeapReleased) / pageSize * pageSize
	_, ram := amd64.Memory()
	for i, r := range ram {
		part := procfs.Region{Start: max(r.Start, data.End), End: r.End, Perm: "rw-p"}
		if i == 0 {
			part.Name = "[heap]"
		}
		part.Resident = min(used, part.End-part.Start)
		used -= part.Resident
		list = append(list, part)
	}
	m.calls.EachMapping(func(start, end uint64, prot int, shared bool, off int64, at *fs.Dentry) {
		perm := []byte("---p")
		for i, p := range []int{syscall.PROT_READ, syscall.PROT_WRITE, syscall.PROT_EXEC} {
			if prot&p != 0 {
				perm[i] = "rwx"[i]
			}
		}
		if shared {
			perm[3] = 's'
		}
		r := procfs.Region{Start: start, End: end, Perm: string(perm), Offset: uint64(off)}
		if prot != 0 {
			r.Resident = end - start
		}
		if at != nil {
			var a fs.Attr
			_ = at.Getattr(&a)
			r.Dev, r.Ino, r.Name = at.Dev(), a.Ino, m.vfs.Describe(at)
		}
		list = append(list, r)
	})
	return list
}

// limits are those of getrlimit(2), in the order of their numbers.
func (m *machine) limits() []procfs.Limit {
	list := []procfs.Limit{
		{Name: "Max cpu time", Unit: "seconds"}, {Name: "Max file size", Unit: "bytes"}, {Name: "Max data size", Unit: "bytes"},
		{Name: "Max stack size", Unit: "bytes"}, {Name: "Max core file size", Unit: "bytes"}, {Name: "Max resident set", Unit: "bytes"},
		{Name: "Max processes", Unit: "processes"}, {Name: "Max open files", Unit: "files"}, {Name: "Max locked memory", Unit: "bytes"},
		{Name: "Max address space", Unit: "bytes"}, {Name: "Max file locks", Unit: "locks"}, {Name: "Max pending signals", Unit: "signals"},
		{Name: "Max msgqueue size", Unit: "bytes"}, {Name: "Max nice priority"}, {Name: "Max realtime priority"}, {Name: "Max realtime timeout", Unit: "us"},
	}
	for i := range list {
		l, _ := m.calls.Prlimit(i, nil) // knows all of them
		list[i].Cur, list[i].Max = l.Cur, l.Max
	}
	return list
}
