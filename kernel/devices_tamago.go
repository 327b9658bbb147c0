//go:build tamago

package kernel

import (
	"errors"
	"fmt"
	"sync"
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
	dev *virtiofs.FS

	mu sync.Mutex
	fs *fusefs.FS // nil while it is not mounted
}

// mountedShare is the file system of a share, which may be mounted again once it
// has been closed.
type mountedShare struct {
	*fusefs.FS
	share *share
}

// Close ends the FUSE session. A server that is gone needs no word of that.
func (f mountedShare) Close() error {
	f.share.mu.Lock()
	defer f.share.mu.Unlock()
	f.share.fs = nil
	err := f.FS.Close()
	if errors.Is(f.share.dev.Device().Err(), fuse.ErrServerEnded) {
		return nil
	}
	return err
}

// shareEnded has all that needs the server of a share fail: the launcher says
// that it is gone.
func (m *machine) shareEnded(tag, how string) {
	for _, s := range m.shares {
		if s.dev.Tag() == tag {
			s.dev.ServerEnded(how)
		}
	}
}

// cacheShare is the part of the RAM that file data of a share may take.
const cacheShare = 8

// open begins a FUSE session with the device's server.
func (m *machine) open(s *share) (fs.FileSystem, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fs != nil {
		return nil, fmt.Errorf("%s is mounted: %w", s.dev.Name(), syscall.EBUSY)
	}
	total, _ := amd64.Memory()
	files, err := m.flags.files(s.dev.Tag())
	m.fail(err)
	f, err := fusefs.Mount(s.dev, fusefs.Options{Logf: m.logf, CacheSize: int64(total / cacheShare), MaxFiles: files})
	if err != nil {
		return nil, err
	}
	m.logf("%s: %s", s.dev.Name(), f.Negotiated())
	s.fs = f
	return mountedShare{f, s}, nil
}

// Device types (virtio 1.2 §5).
const (
	consoleID    = 3
	entropyID    = 4
	fileSystemID = 26
)

// findDevices starts the drivers of all devices, on either bus.
func (m *machine) findDevices() {
	m.scanMMIO()
	m.scanPCI()
}

// scanMMIO opens the transports that the command line names, else those of a
// microvm that are there.
func (m *machine) scanMMIO() {
	slots, errs := mmio.CommandLine(amd64.CommandLine())
	for _, err := range errs {
		m.fail(err)
	}
	if len(slots) == 0 && len(errs) == 0 {
		window := reg.MMIO{Base: mmio.MicrovmBase, Length: mmio.MicrovmSize}
		slots = mmio.Probe(window, amd64.HasACPI())
	}
	for _, s := range slots {
		if err := amd64.MapDevice(amd64.Range{Start: s.Base, End: s.Base + s.Size}); err != nil {
			m.fail(err)
			continue
		}
		regs := reg.MMIO{Base: uintptr(s.Base), Length: int(s.Size)}
		t, err := mmio.Open(s.Base, regs, func() (virtio.Interrupt, error) { return amd64.Line(s.IRQ) })
		switch {
		case err != nil:
			m.fail(err)
		case t != nil:
			m.start(t)
		}
	}
}

// start starts the driver of a device.
func (m *machine) start(t virtio.Transport) {
	var err error
	switch t.DeviceID() {
	case fileSystemID:
		err = m.startShare(t)
	case consoleID:
		var c *console.Console
		if c, err = console.Open(t, m.arena); err == nil {
			m.streams.found(c)
		}
	case entropyID:
		err = m.startRandom(t)
	default:
		m.logf("%s: no driver for a device of type %d", t.Name(), t.DeviceID())
	}
	m.fail(err)
}

// startShare starts a file system device.
func (m *machine) startShare(t virtio.Transport) error {
	if m.arena == nil {
		return fmt.Errorf("%s: no memory for devices", t.Name())
	}
	dev, err := virtiofs.OpenFunc(t, m.arena, m.fail)
	if err != nil {
		return err
	}
	m.shares = append(m.shares, &share{dev: dev})
	return nil
}
