package procfs

import (
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// Process has what the kernel's table of descriptors knows.
type Process interface {
	// Descriptors lists the open descriptors.
	Descriptors() []int
	// Descriptor tells what fd is: the text of its link, and its place with a
	// reference. nil: it is not open.
	Descriptor(fd int) (text string, at *fs.Dentry)
	// DescriptorState tells how fd stands: its O_ flags, its position in bytes,
	// and lines of Linux's fdinfo that only its kind of file has.
	DescriptorState(fd int) (flags int, pos int64, lines []byte, ok bool)
	// WorkingDir and RootDir are places with a reference, and their paths.
	WorkingDir() (string, *fs.Dentry)
	RootDir() (string, *fs.Dentry)
}

// Self is the process as its directory shows it.
type Self struct {
	Process
	Pid       int
	Args, Env func() []string
	Name      func() string // at most 15 bytes
	SetName   func(string)
	// Executable is the file that the program was loaded from: its path, and its
	// place with a reference; nil: nobody has it.
	Executable func() (string, *fs.Dentry)
	Usage      func() Usage
	Regions    func() []Region
	Limits     func() []Limit
	Mounts     func() []fs.MountInfo

	oomScore atomic.Int32
}

// RegisterSelf adds the directory of the process, and self and thread-self, links
// to it. The process has one thread.
func (f *FS) RegisterSelf(s *Self) {
	pid := strconv.Itoa(s.Pid)
	f.RegisterLink("self", pid)
	f.RegisterLink("thread-self", pid+"/task/"+pid)
	process := f.NewDir(0o555)
	thread := f.NewDir(0o555)
	f.Dir().Add(pid, process)
	process.Add("task/"+pid, thread)
	f.processFiles(process, s)
	f.processFiles(thread, s)
	f.networkFiles(process)
}

// processFiles fills a directory of a process, or of a thread of it.
func (f *FS) processFiles(d *synth.Dir, s *Self) {
	d.Add("fd", f.NewNumbered(0o500, s.Descriptors, func(n int) fs.Node {
		_, at := s.Descriptor(n)
		if at == nil {
			return nil
		}
		at.Put()
		return fdLink{fs: f, p: s, n: n}
	}))
	d.Add("fdinfo", f.NewNumbered(0o500, s.Descriptors, func(n int) fs.Node {
		_, at := s.Descriptor(n)
		if at == nil {
			return nil
		}
		at.Put()
		return fdInfo{fs: f, p: s, n: n}
	}))
	d.Add("cwd", f.newJump(s.WorkingDir))
	d.Add("root", f.newJump(s.RootDir))
	d.Add("exe", f.newJump(s.Executable))
	name := func(b []byte) []byte { return append(append(b, s.Name()...), '\n') }
	d.Add("comm", f.NewSetting(name, func(text string) error {
		s.SetName(text)
		return nil
	}))
	for name, text := range map[string]func([]byte) []byte{
		"auxv":         auxv,
		"cgroup":       Line("0::/"),
		"cmdline":      zeroEnded(s.Args),
		"environ":      zeroEnded(s.Env),
		"io":           s.io,
		"limits":       s.limits,
		"loginuid":     word("4294967295"), // nobody has logged in
		"maps":         s.maps,
		"mountinfo":    Mountinfo(s.Mounts),
		"mounts":       Mounts(s.Mounts),
		"oom_adj":      Line("0"),
		"oom_score":    Line("0"),
		"personality":  Line("00000000"),
		"schedstat":    s.schedstat,
		"sessionid":    word("4294967295"),
		"smaps":        s.smaps,
		"smaps_rollup": s.smapsRollup,
		"stat":         s.stat,
		"statm":        s.statm,
		"status":       s.status,
		"wchan":        word("0"),
		"gid_map":      Line("         0          0 4294967295"),
		"uid_map":      Line("         0          0 4294967295"),
		"setgroups":    Line("allow"),
	} {
		d.Add(name, f.NewText(text))
	}
	// Nothing kills a process for its memory here; what programs write, they
	// may read again.
	d.Add("oom_score_adj", f.NewSetting(func(b []byte) []byte {
		return append(strconv.AppendInt(b, int64(s.oomScore.Load()), 10), '\n')
	}, func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < -1000 || n > 1000 {
			return syscall.EINVAL
		}
		s.oomScore.Store(int32(n))
		return nil
	}))
}

func zeroEnded(list func() []string) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, s := range list() {
			b = append(append(b, s...), 0)
		}
		return b
	}
}

// word gives a fixed text without an end of line.
func word(text string) func(b []byte) []byte {
	return func(b []byte) []byte { return append(b, text...) }
}

// auxv is the auxiliary vector of getauxval(3), pairs of words: page size, clock
// ticks a second, the user and group ids, no set-user-ID program.
func auxv(b []byte) []byte {
	const (
		atPageSize, atUID, atEUID, atGID, atEGID, atClockTick, atSecure = 6, 11, 12, 13, 14, 17, 23
	)
	for _, p := range [...][2]uint64{{atPageSize, pageSize}, {atClockTick, ticks}, {atUID}, {atEUID}, {atGID}, {atEGID}, {atSecure}, {}} {
		b = binary.LittleEndian.AppendUint64(b, p[0])
		b = binary.LittleEndian.AppendUint64(b, p[1])
	}
	return b
}
