package procfs

import (
	"encoding/binary"
	"strconv"
	"strings"
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
	Auxv      func() []uintptr // getauxval(3): types and values
	Name      func() string    // at most 15 bytes
	SetName   func(string)
	// Executable is the file that the program was loaded from: its path, and its
	// place with a reference; nil: nobody has it.
	Executable func() (string, *fs.Dentry)
	Usage      func() Usage
	Regions    func() []Region
	Limits     func() []Limit
	Mounts     func() []fs.MountInfo
	Internal   func(fs.FileSystem) *fs.Mount // VFS.Internal
	// Network are files of net, by name, in place of those of a system without one.
	Network map[string]func(b []byte) []byte

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
	f.addNamespaces(s, process, thread)
	for name, text := range s.Network {
		process.Add("net/"+name, f.NewText(text))
	}
}

// processFiles fills a directory of a process, or of a thread of it.
func (f *FS) processFiles(d *synth.Dir, s *Self) {
	d.Add("fd", f.descriptors(s, false))
	d.Add("fdinfo", f.descriptors(s, true))
	d.Add("cwd", f.newJump(s.WorkingDir))
	d.Add("root", f.newJump(s.RootDir))
	d.Add("exe", f.newJump(s.Executable))
	name := func(b []byte) []byte { return append(append(b, s.Name()...), '\n') }
	d.Add("comm", f.NewSetting(name, func(text string) error {
		s.SetName(text)
		return nil
	}))
	for _, t := range processTexts {
		d.Add(t.name, f.NewText(func(b []byte) []byte { return t.text(s, b) }))
	}
	f.addFixed(d, processFixed)
	d.Add("mountinfo", f.NewText(Mountinfo(s.Mounts)))
	d.Add("mounts", f.NewText(Mounts(s.Mounts)))
	d.Add("mountstats", f.NewText(Mountstats(s.Mounts)))
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

// processTexts are the files of a process that tell what changes.
var processTexts = []struct {
	name string
	text func(s *Self, b []byte) []byte
}{
	{"auxv", (*Self).auxv}, {"cmdline", (*Self).cmdline}, {"environ", (*Self).environ}, {"io", (*Self).io}, {"limits", (*Self).limits}, {"maps", (*Self).maps},
	{"schedstat", (*Self).schedstat}, {"smaps", (*Self).smaps}, {"smaps_rollup", (*Self).smapsRollup},
	{"stat", (*Self).stat}, {"statm", (*Self).statm}, {"status", (*Self).status},
}

// processFixed are those that always tell the same: addFixed has the format. In cgroup
// stand hierarchies that are mounted, of which there is none: who finds a line there
// goes on to look for the files of that one (cgroups(7)).
const processFixed = `cgroup=;
gid_map=         0          0 4294967295
;
loginuid=4294967295;
oom_adj=0
;
oom_score=0
;
personality=00000000
;
sessionid=4294967295;
setgroups=allow
;
uid_map=         0          0 4294967295
;
wchan=0;
`

// addFixed adds files to d, each as name=contents; and an end of line.
func (f *FS) addFixed(d *synth.Dir, list string) {
	for list != "" {
		var name, text string
		name, list, _ = strings.Cut(list, "=")
		text, list, _ = strings.Cut(list, ";\n")
		d.Add(name, f.NewText(func(b []byte) []byte { return append(b, text...) }))
	}
}

// RegisterFixed adds files that always tell the same, each as name=contents; and an
// end of line.
func (f *FS) RegisterFixed(list string) { f.addFixed(f.Dir(), list) }

// auxv is the auxiliary vector, ended by an entry of type 0.
func (s *Self) auxv(b []byte) []byte {
	for _, word := range s.Auxv() {
		b = binary.LittleEndian.AppendUint64(b, uint64(word))
	}
	return append(b, make([]byte, 16)...)
}

func (s *Self) cmdline(b []byte) []byte { return appendZeroEnded(b, s.Args()) }

func (s *Self) environ(b []byte) []byte { return appendZeroEnded(b, s.Env()) }

func appendZeroEnded(b []byte, list []string) []byte {
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return b
}
