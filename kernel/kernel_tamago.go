//go:build tamago

package kernel

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/arch/amd64/embedded"
	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/drivers/pci"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtiorng"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/syscalls"
)

//go:linkname atExit runtime.atExit
func atExit(f func())

//go:linkname waitsForFile runtime.waitsForFile
func waitsForFile(on bool)

// machine is what a boot has found and made.
type machine struct {
	started  time.Time
	flags    flags
	log      messages
	arena    *virtio.Arena
	pci      *pci.Bus // nil if there is none
	shares   []*share
	streams  streams
	consoles []*console.Console
	mmio     []mmioDevice
	rng      *virtiorng.RNG // nil if there is none
	resumed  chan struct{}  // gets something when the machine was stopped for a while

	taking     sync.Mutex                                                  // for the next two, once the program runs
	registered map[string]func(source, data string) (fs.FileSystem, error) // types of file systems
	undriven   []virtio.Transport                                          // devices without a driver
	networks   []Network                                                   // network devices with one
	provided   []provided

	proc  *procfs.FS
	load  procfs.Load
	dev   *devfs.FS
	disks []*disk
	vfs   *fs.VFS
	calls *syscalls.Kernel
}

var booted machine

func init() { booted.boot() }

// boot brings the machine up in order. What fails is left out, with a line in
// the log: the program starts in any case.
func (m *machine) boot() {
	amd64.BeginStage("kernel: settings, console")
	m.started = time.Now()
	fs.WaitsForFile = waitsForFile
	m.load.Times = m.times
	m.resumed = make(chan struct{}, 1)
	own, _ := amd64.Embedded(embedded.Flags)
	settings, _ := amd64.BootFile(amd64.FlagsFile)
	m.flags = parseFlags(string(own) + string(settings)) // the last of a key counts
	unknown := m.flags.addWords(amd64.KernelWords())
	m.log.now = func() time.Duration { return time.Duration(time.Since(m.started)) }
	m.setWall()
	serial, err := amd64.OpenConsole()
	if m.flags["quiet"] == "" {
		m.log.console = serial
	}
	m.log.marked, m.log.json = m.flags["log.marked"] != "", m.flags["log"] == "json"
	m.fail(err)
	m.describe()
	for _, err := range unknown {
		m.fail(err)
	}
	if tracer != nil {
		tracer.Start()
	}
	m.fail(m.initMemory())
	amd64.BeginStage("drivers: MMIO")
	m.scanMMIO()
	amd64.BeginStage("drivers: PCI")
	m.scanPCI()
	amd64.BeginStage("kernel: streams")
	m.streams.console = serial
	m.connectStreams()
	amd64.BeginStage("fs: mounts, sessions with file servers")
	m.mountRoot()
	m.watchHost()
	amd64.BeginStage("syscalls")
	m.calls = syscalls.New(m.vfs)
	m.calls.Name = cmp.Or(m.flags["net.hostname"], hostname)
	m.calls.FileSystems = m.newFileSystem
	total, _ := amd64.Memory()
	m.calls.Random = m.random
	m.calls.Machine = wholeMachine{}
	m.calls.Memory = amd64.Aliases{}
	m.calls.MapLimit, m.calls.MemoryTotal = int64(total/mapShare), int64(total)
	m.takeSignals()
	m.setFallback()
	m.proc.RegisterOnUse(m.registerProc)
	amd64.BeginStage("kernel: standard streams, directory")
	m.openStreams()
	m.chdir()
	amd64.BeginStage("kernel: time, power button, CPUs")
	m.keepTime()
	m.watchPowerButton()
	m.bind()
	atExit(m.shutdown)
	m.startTerminal()
	amd64.StartCPUs()
	amd64.GrowTLB()
	if tracer != nil {
		tracer.Ready()
	}
	amd64.ControlString("yolk main\n")
	if l := m.streams.link; l != nil {
		read := procReader(m.readProc)
		l.proc.Store(&read)
	}
	HoldAfter("boot")
	amd64.BeginStage("init functions of the program")
}

// HoldAfter has the program wait until the launcher lets it go on, if that has said so of
// this part of the start: "boot", "network".
func HoldAfter(part string) {
	if l := booted.streams.link; l != nil && booted.flags["hold"] == part {
		l.hold()
	}
}

func (m *machine) logf(format string, args ...any) { m.log.Print(fmt.Sprintf(format, args...)) }

// fail logs what went wrong, if anything.
func (m *machine) fail(err error) {
	if err != nil {
		m.log.Error(err.Error())
	}
}

// describe logs what machine it is.
func (m *machine) describe() {
	total, ranges := amd64.Memory()
	m.logf("%s, %d MHz, %d MiB of RAM", cpuName(), amd64.ClockHz()/1e6, total>>20)
	for _, r := range ranges {
		m.logf("RAM for the program: %#x-%#x", r.Start, r.End-1)
	}
	if amd64.FwCfgStuck() {
		m.logf("fw_cfg: the device has left a transfer undone: it is read by bytes")
	}
	if n := amd64.MemoryBeyond(); n > 0 {
		m.logf("%d MiB of RAM are not used: they lie beyond the heap's addresses", n>>20)
	}
	mark, at := amd64.BrokenBoot()
	if mark != 0 {
		m.logf("kernel command line: nothing closes the last %c", mark)
	}
	if at >= 0 {
		m.logf("the boot loader's module: no header of a tar archive (ustar) at byte %d: the rest does not count", at)
	}
	for _, p := range amd64.ACPI().Problems() {
		m.fail(p)
	}
	if n, used := amd64.CPUsFound(); n > used {
		m.logf("%d processors, of which %d are used", n, used)
	}
	if line, cut := amd64.CommandLine(); cut {
		m.logf("the kernel command line is too long: only its first %d bytes count", len(line))
	}
}

func cpuName() string {
	if name := amd64.CPU().Name; name != "" {
		return name
	}
	return "amd64"
}

// mapShare is the part of the RAM that copies of mapped files may take.
const mapShare = 2

func (m *machine) initMemory() error {
	_, ranges := amd64.Memory()
	identity := make([]virtio.Range, len(ranges))
	for i, r := range ranges {
		identity[i] = virtio.Range{Start: r.Start, End: r.End}
	}
	mem := amd64.DeviceMemory()
	arena, err := virtio.NewArena(mem, uint64(amd64.PhysicalAddress(mem)), identity...)
	if err == nil {
		arena.Walk = amd64.PhysicalRun
	}
	m.arena = arena
	return err
}

// chdir goes to the launcher's working directory, else to that of the image.
func (m *machine) chdir() {
	text, _ := amd64.BootFile(amd64.CwdFile)
	own, _ := amd64.Embedded(embedded.Cwd)
	dir := cmp.Or(string(text), m.flags["cwd"], string(own))
	if dir == "" {
		return
	}
	if err := m.calls.Chdir(dir); err != 0 {
		m.logf("working directory %q: %v; starting in /", dir, err)
	}
}

// shutdown ends the file systems, with FUSE_DESTROY. The devices are left as they
// are, for the machine ends next; resetting one waits for its server.
func (m *machine) shutdown() {
	amd64.Ending()
	if m.flags["enosys"] != "" {
		m.log.console = m.streams.console // also if it is quiet
		for line := range strings.Lines(m.calls.Missed()) {
			m.log.Print("ENOSYS (times, number, name, caller): " + strings.TrimSuffix(line, "\n"))
		}
	}
	m.fail(m.calls.Shutdown())
}
