//go:build tamago

package kernel

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/drivers/mmio"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtiofs"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// share is a virtio-fs device and the file system on it.
type share struct {
	tag      string
	readOnly bool
	open     func() (virtio.Transport, error)
	dev      atomic.Pointer[virtiofs.FS] // another one for each server

	mu    sync.Mutex
	fs    *fusefs.FS // of dev; nil while it is not mounted
	taken bool       // a program drives it
}

// mountedShare is the file system of a share, which may be mounted again once it
// has been closed, or has another server.
type mountedShare struct {
	*fusefs.FS
	share *share
	dev   *virtiofs.FS
}

// ReadOnly reports whether the launcher gave the share for reading only.
func (f mountedShare) ReadOnly() bool { return f.share.readOnly }

// Close ends the FUSE session. A server that is gone needs no word of that.
func (f mountedShare) Close() error {
	f.share.mu.Lock()
	defer f.share.mu.Unlock()
	if f.share.fs == f.FS {
		f.share.fs = nil
	}
	err := f.FS.Close()
	if errors.Is(f.dev.Device().Err(), fuse.ErrServerEnded) {
		return nil
	}
	return err
}

// shareNamed returns the share with a tag, or nil.
func (m *machine) shareNamed(tag string) *share {
	for _, s := range m.shares {
		if s.tag == tag {
			return s
		}
	}
	return nil
}

// shareEnded has all that needs the server of a share fail: the launcher says
// that it is gone.
func (m *machine) shareEnded(tag, how string) {
	if s := m.shareNamed(tag); s != nil {
		s.dev.Load().ServerEnded(how)
	}
}

// shareStarted starts the device of a share again, whose next server is there, as
// the launcher says. What was mounted before stays without a server: this one
// knows none of the files that were open, and nothing may be believed of it that
// the last one said.
func (m *machine) shareStarted(tag string) {
	s := m.shareNamed(tag)
	if s == nil {
		return
	}
	old := s.dev.Load()
	if old.Device().Err() == nil {
		m.logf("%s: the launcher says that its server was started, and it has not ended", old.Name())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.fail(old.Close()) // gives its memory and interrupts back
	t, err := s.open()
	if err != nil {
		m.fail(err)
		return
	}
	dev, err := virtiofs.OpenFunc(traced(t), m.arena, m.fail)
	if err != nil {
		m.fail(err)
		return
	}
	s.dev.Store(dev)
	s.fs = nil
}

// cacheShare is the part of the RAM that file data of a share may take.
const cacheShare = 8

// open begins a FUSE session with the device's server.
func (m *machine) open(s *share) (fs.FileSystem, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dev := s.dev.Load()
	if err := dev.Device().Err(); err != nil {
		return nil, err
	}
	if s.fs != nil || s.taken {
		return nil, fmt.Errorf("%s is in use: %w", dev.Name(), syscall.EBUSY)
	}
	total, _ := amd64.Memory()
	files, err := m.flags.files(s.tag)
	m.fail(err)
	f, err := fusefs.Mount(tracedFuse(dev), fusefs.Options{Logf: m.logf, CacheSize: int64(total / cacheShare), MaxFiles: files})
	if err != nil {
		return nil, err
	}
	m.logf("%s: %s", dev.Name(), f.Negotiated())
	s.fs = f
	return mountedShare{f, s, dev}, nil
}

// Device types (virtio 1.2 §5).
const (
	networkID    = 1
	blockID      = 2
	consoleID    = 3
	entropyID    = 4
	fileSystemID = 26
)

// scanMMIO opens the transports that the command line names, else those of a
// microvm that are there.
func (m *machine) scanMMIO() {
	slots, errs := mmio.CommandLine(amd64.KernelWords())
	for _, err := range errs {
		m.fail(err)
	}
	if len(slots) == 0 && len(errs) == 0 {
		window := reg.MMIO{Base: mmio.MicrovmBase, Length: mmio.MicrovmSize}
		slots = mmio.Probe(window, amd64.ACPI().Root != 0)
	}
	for _, s := range slots {
		if err := amd64.MapDevice(amd64.Range{Start: s.Base, End: s.Base + s.Size}); err != nil {
			m.fail(err)
			continue
		}
		regs := reg.MMIO{Base: uintptr(s.Base), Length: int(s.Size)}
		m.start(func() (virtio.Transport, error) {
			t, err := mmio.Open(s.Base, regs, func() (virtio.Interrupt, error) {
				irq, err := amd64.Line(s.IRQ)
				return tracedInterrupt(irq, err)
			})
			if t == nil {
				return nil, err
			}
			m.mmio = append(m.mmio, mmioDevice{s.Base, s.Size, t.Name()})
			return t, nil
		})
	}
}

// start starts the driver of a device, if there is one behind the transport.
func (m *machine) start(open func() (virtio.Transport, error)) {
	t, err := open()
	if err != nil || t == nil {
		m.fail(err)
		return
	}
	t = traced(t)
	switch t.DeviceID() {
	case fileSystemID:
		err = m.startShare(t, open)
	case consoleID:
		var c *console.Console
		if c, err = console.Open(t, m.arena); err == nil {
			m.consoles = append(m.consoles, c)
			m.streams.found(c)
		}
	case entropyID:
		err = m.startRandom(t)
	case blockID:
		err = m.startDisk(t)
	case networkID:
		m.undriven = append(m.undriven, t) // until OpenNetworks
	default:
		m.logf("%s: no driver for a device of type %d", t.Name(), t.DeviceID())
		m.undriven = append(m.undriven, t)
	}
	m.fail(err)
}

// startShare starts a file system device. Open opens its transport again once that
// has been closed.
func (m *machine) startShare(t virtio.Transport, open func() (virtio.Transport, error)) error {
	if m.arena == nil {
		return fmt.Errorf("%s: no memory for devices", t.Name())
	}
	dev, err := virtiofs.OpenFunc(t, m.arena, m.fail)
	if err != nil {
		return err
	}
	s := &share{tag: dev.Tag(), readOnly: m.flags["readonly."+dev.Tag()] != "", open: open}
	s.dev.Store(dev)
	m.shares = append(m.shares, s)
	return nil
}
