// Package machine boots an image in a QEMU whose processor and memory can be
// looked at afterwards, also when the processor has given up.
package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// End says how a machine came to rest.
type End int

// The ends.
const (
	Halted  End = iota // HLT with interrupts off: nothing wakes it
	Crashed            // a triple fault, or another reset
	Said               // the serial port said what was waited for
	Busy               // it was still running at the time limit
)

// State is what is left of a machine.
type State struct {
	End    End
	Serial string            // what came from the serial port
	Regs   map[string]uint64 // EAX or RAX, EIP or RIP, CR0, CR3, CR4, EFER, …
	CS     string            // QEMU's word for the code segment: CS16, CS32, CS64
	Memory map[uint64][]uint64
}

// Reg returns a register by its 32-bit or 64-bit name.
func (s *State) Reg(name string) uint64 {
	if v, ok := s.Regs["R"+name]; ok {
		return v
	}
	if v, ok := s.Regs["E"+name]; ok {
		return v
	}
	return s.Regs[name]
}

// Region is memory to look at: Words words of 8 bytes at a physical address.
type Region struct {
	Addr  uint64
	Words int
}

// emulator is QEMU for this processor. Package qemu would find it, too, but a student's
// first check should not have to compile the network that is in it.
const emulator = "qemu-system-x86_64"

// pause is the time between two looks at a machine that runs.
const pause = 50 * time.Millisecond

// The limits of a machine that comes to no rest. That of processor time is the one
// that counts: how long a second takes is not the student's fault.
const (
	busyLimit = 2 * time.Second // of QEMU's processor time
	waitLimit = 5 * time.Minute
)

// Run boots an image with 64 MiB of RAM, waits until it rests or has said wanted,
// and looks at it.
func Run(image []byte, wanted string, regions ...Region) (*State, error) {
	path, err := exec.LookPath(emulator)
	if err != nil {
		return nil, fmt.Errorf("%s is not in PATH: make deps installs it, or says how", emulator)
	}
	dir, err := os.MkdirTemp("", "yolk-lab-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	kernel := filepath.Join(dir, "kernel")
	if err := os.WriteFile(kernel, image, 0o600); err != nil {
		return nil, err
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-nodefaults", "-no-user-config", "-display", "none",
		// A reset leaves the processor as it was.
		"-no-reboot", "-no-shutdown", "-bios", "qboot.rom", "-m", "64M", "-cpu", "max",
		"-machine", "microvm,accel=tcg,pic=off,isa-serial=on,acpi=off,x-option-roms=off",
		"-kernel", kernel, "-serial", "stdio",
		"-chardev", "socket,id=monitor,fd=3", "-mon", "chardev=monitor,mode=control")
	var serial, stderr output
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &serial, &stderr, []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	theirs.Close()
	defer func() {
		cancel()
		cmd.Wait()
	}()
	m := &monitor{dec: json.NewDecoder(ours), conn: ours, pid: cmd.Process.Pid}
	s, err := m.watch(&serial, wanted, regions)
	if err != nil {
		cancel()
		cmd.Wait()
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return nil, fmt.Errorf("%w\n%s", err, text)
		}
	}
	return s, err
}

func pair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "monitor")
	f := os.NewFile(uintptr(fds[0]), "monitor")
	defer f.Close()
	ours, err = net.FileConn(f)
	return ours, theirs, err
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// monitor is QEMU's, which speaks QMP: a JSON object for each command, answer and
// event.
type monitor struct {
	dec     *json.Decoder
	conn    net.Conn
	pid     int  // of QEMU
	stopped bool // the machine has been reset, or has failed
}

func (m *monitor) do(command string, args any) (string, error) {
	request := map[string]any{"execute": command}
	if args != nil {
		request["arguments"] = args
	}
	data, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	if _, err := m.conn.Write(data); err != nil {
		return "", err
	}
	for {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
			Event  string
		}
		if err := m.dec.Decode(&answer); err != nil {
			return "", fmt.Errorf("QEMU has ended: %w", err)
		}
		switch {
		case answer.Event == "STOP" || answer.Event == "SHUTDOWN" || answer.Event == "GUEST_PANICKED":
			m.stopped = true
		case answer.Error != nil:
			return "", errors.New(answer.Error.Desc)
		case answer.Return != nil:
			var text string
			if json.Unmarshal(answer.Return, &text) != nil {
				text = string(answer.Return) // an object
			}
			return text, nil
		}
	}
}

// ask gives a command of the monitor for people.
func (m *monitor) ask(command string) (string, error) {
	return m.do("human-monitor-command", map[string]string{"command-line": command})
}

func (m *monitor) watch(serial *output, wanted string, regions []Region) (*State, error) {
	if err := m.conn.SetDeadline(time.Now().Add(waitLimit + time.Minute)); err != nil {
		return nil, err
	}
	if _, err := m.do("qmp_capabilities", nil); err != nil {
		return nil, err
	}
	// Of what came before, no events are sent.
	status, err := m.do("query-status", nil)
	if err != nil {
		return nil, err
	}
	var is struct{ Running bool }
	if err := json.Unmarshal([]byte(status), &is); err != nil {
		return nil, fmt.Errorf("QEMU's status %s: %w", status, err)
	}
	// QEMU may take the status, stop, and tell of that before it answers.
	m.stopped = m.stopped || !is.Running
	s := &State{End: Busy, Memory: map[uint64][]uint64{}}
	for end := time.Now().Add(waitLimit); time.Now().Before(end) && busy(m.pid) < busyLimit; time.Sleep(pause) {
		text, err := m.ask("info registers")
		if err != nil {
			return nil, err
		}
		s.registers(text)
		if m.stopped {
			s.End = Crashed
			break
		}
		if s.rests() {
			s.End = Halted
			break
		}
		if wanted != "" && strings.Contains(serial.String(), wanted) {
			s.End = Said
			break
		}
	}
	// It has gone on since it was looked at, to where it said what was waited for or crashed.
	text, err := m.ask("info registers")
	if err != nil {
		return nil, err
	}
	s.registers(text)
	for _, r := range regions {
		text, err := m.ask(fmt.Sprintf("xp /%dgx %#x", r.Words, r.Addr))
		if err != nil {
			return nil, err
		}
		s.Memory[r.Addr] = words(text)
	}
	_, err = m.ask("info version") // what was sent before has come
	s.Serial = serial.String()
	return s, err
}

// resetVector is where a processor begins (Intel SDM vol. 3, 10.1.4), the lower part.
const resetVector = 0xfff0

// rests tells that the processor has halted with interrupts off. One that has not begun
// yet looks the same: QEMU starts its thread some time after the monitor answers.
func (s *State) rests() bool {
	return s.Regs["HLT"] == 1 && s.Reg("FL")&(1<<9) == 0 && s.Reg("IP") != resetVector
}

// busy returns how much processor time a process has had (proc(5), stat: fields 14
// and 15, in ticks of 10 ms).
func busy(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ") // the name may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

var register = regexp.MustCompile(`\b([A-Z][A-Z0-9]*) ?= ?([0-9a-f]+)\b`)

// registers reads the answer to "info registers".
func (s *State) registers(text string) {
	s.Regs = map[string]uint64{}
	for _, m := range register.FindAllStringSubmatch(text, -1) {
		if v, err := strconv.ParseUint(m[2], 16, 64); err == nil {
			s.Regs[m[1]] = v
		}
	}
	s.CS = regexp.MustCompile(`\bCS(16|32|64)\b`).FindString(text)
}

// words reads the answer to "xp": an address, a colon and words, in lines.
func words(text string) []uint64 {
	var list []uint64
	for line := range strings.Lines(text) {
		_, line, _ = strings.Cut(line, ":")
		for _, w := range strings.Fields(line) {
			if v, err := strconv.ParseUint(w, 0, 64); err == nil {
				list = append(list, v)
			}
		}
	}
	return list
}
