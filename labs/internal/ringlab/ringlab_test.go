package ringlab

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/labs/internal/report"
)

// student is a driver with mistakes.
type student struct {
	noReset, noDriver, noFeatures, allFeatures, noFeaturesOK, noCheck bool
	noEnable, noDriverOK, earlyDriverOK                               bool
	virtual, noWrite, next, head                                      bool
	asksNobody, lowIndex, noIndex, noNotify, noModulo                 bool
	noWait, waitsForFlag, noLength, noCopy, leaks, trusts             bool

	t                      virtio.Transport
	mem                    virtio.Memory
	desc, avail, used, buf []byte
	phys                   uint64
	idx                    uint16
	over                   *atomic.Bool // the test is
}

const size = 4

func (d *student) open(t virtio.Transport, mem virtio.Memory) (Device, error) {
	d.t, d.mem, d.idx = t, mem, 0
	status := uint8(0)
	set := func(skip bool, s uint8) {
		if !skip {
			status |= s
			t.SetStatus(status)
		}
	}
	if !d.noReset {
		t.Reset()
	}
	set(false, virtio.StatusAcknowledge)
	set(d.noDriver, virtio.StatusDriver)
	if d.allFeatures {
		t.SetDriverFeatures(t.DeviceFeatures())
	} else if !d.noFeatures {
		t.SetDriverFeatures(virtio.FeatureVersion1)
	}
	set(d.noFeaturesOK, virtio.StatusFeaturesOK)
	if t.Status()&virtio.StatusFeaturesOK == 0 && !d.noCheck {
		return nil, errors.New("refused")
	}
	set(!d.earlyDriverOK, virtio.StatusDriverOK)
	d.desc, _ = mem.Alloc(16*size, 16)
	d.avail, _ = mem.Alloc(8+2*size, 4)
	d.used, _ = mem.Alloc(8+8*size, 4)
	d.buf, _ = mem.Alloc(64, 4)
	at := func(b []byte) uint64 {
		p, _ := mem.Phys(b)
		return p
	}
	d.phys = at(d.buf)
	if d.virtual {
		d.phys = 0x1000
	}
	if !d.noEnable {
		if err := t.EnableQueue(0, size, at(d.desc), at(d.avail), at(d.used)); err != nil {
			return nil, err
		}
	}
	set(d.noDriverOK, virtio.StatusDriverOK)
	return d, nil
}

func (d *student) Ask(n int) ([]byte, error) {
	if d.asksNobody {
		return nil, errors.New("nobody")
	}
	if d.leaks {
		d.mem.Alloc(64, 4)
	}
	flags := uint16(2)
	if d.noWrite {
		flags = 0
	}
	if d.next {
		flags |= 1
	}
	binary.LittleEndian.PutUint64(d.desc, d.phys)
	binary.LittleEndian.PutUint32(d.desc[8:], uint32(n))
	binary.LittleEndian.PutUint16(d.desc[12:], flags)
	i := int(d.idx) % size
	if d.noModulo {
		i = min(int(d.idx), size-1)
	}
	head := uint16(0)
	if d.head {
		head = 9
	}
	binary.LittleEndian.PutUint16(d.avail[4+2*i:], head)
	d.idx++
	switch {
	case d.noIndex:
	case d.lowIndex:
		Store(d.avail, 0, uint32(d.idx))
	default:
		Store(d.avail, 0, uint32(d.idx)<<16)
	}
	if !d.noNotify {
		d.t.Notify(0)
	}
	for !d.noWait && !d.over.Load() {
		v := Load(d.used, 0)
		if d.waitsForFlag && uint16(v) == d.idx || !d.waitsForFlag && uint16(v>>16) == d.idx {
			break
		}
		runtime.Gosched()
	}
	wrote := Load(d.used, 4+8*i+4)
	if d.noLength {
		wrote = uint32(n)
	}
	if wrote > uint32(n) && !d.trusts {
		return nil, errors.New("too long")
	}
	if d.trusts {
		wrote = min(wrote, uint32(len(d.buf)))
	}
	if d.noCopy {
		return d.buf[:wrote], nil
	}
	return append([]byte(nil), d.buf[:wrote]...), nil
}

// TestDiagnosis: the check names what is wrong with a driver.
func TestDiagnosis(t *testing.T) {
	old := patience
	defer func() { patience = old }()
	for _, c := range []struct {
		spoil func(*student)
		says  string // words of the verdict, separated by |
	}{
		{func(d *student) {}, "PASS"},
		{func(d *student) { d.noReset = true }, "not reset|TODO 1"},
		{func(d *student) { d.noDriver = true }, "FEATURES_OK before DRIVER|TODO 1"},
		{func(d *student) { d.noFeatures = true }, "features taken are 0x0|TODO 1"},
		{func(d *student) { d.allFeatures = true }, "features taken|change what a ring looks like"},
		{func(d *student) { d.noFeaturesOK, d.noCheck = true, true }, "DRIVER_OK without FEATURES_OK|TODO 1"},
		{func(d *student) { d.noCheck = true }, "refuses the features|TODO 1"},
		{func(d *student) { d.noEnable = true }, "no queue was enabled|TODO 2"},
		{func(d *student) { d.noDriverOK = true }, "without DRIVER_OK|TODO 2"},
		{func(d *student) { d.earlyDriverOK = true }, "enabled after DRIVER_OK|TODO 2"},
		{func(d *student) { d.virtual = true }, "bytes at 0x1000|physical|TODO 3"},
		{func(d *student) { d.noWrite = true }, "may only read|TODO 3"},
		{func(d *student) { d.next = true }, "TODO 3"},
		{func(d *student) { d.head = true }, "head 9|TODO 4"},
		{func(d *student) { d.asksNobody = true }, "ask returned an error (nobody)|was not asked|TODO 3 and 4"},
		{func(d *student) { d.lowIndex = true }, "still 0|upper half|TODO 4"},
		{func(d *student) { d.noIndex = true }, "still 0|TODO 4"},
		{func(d *student) { d.noNotify = true }, "was not notified|TODO 4"},
		{func(d *student) { d.noModulo = true }, "request 5|modulo"},
		{func(d *student) { d.noWait = true }, "TODO 5"},
		{func(d *student) { d.waitsForFlag = true }, "TODO 5"},
		{func(d *student) { d.noLength = true }, "only 5 bytes|TODO 5"},
		{func(d *student) { d.noCopy = true }, "has changed since|copy"},
		{func(d *student) { d.leaks = true }, "in use|TODO 3"},
		{func(d *student) { d.trusts = true }, "a stranger"},
	} {
		patience = old
		if c.says != "PASS" {
			patience = 300 // what is waited for does not come
		}
		var d student
		c.spoil(&d)
		var b strings.Builder
		r := report.New(&b)
		d.over = new(atomic.Bool)
		Check(r, func(t virtio.Transport, mem virtio.Memory) (Device, error) {
			own := d
			return own.open(t, mem)
		})
		d.over.Store(true)
		r.End()
		for word := range strings.SplitSeq(c.says, "|") {
			if !strings.Contains(b.String(), word) {
				t.Errorf("want %q in:\n%s", word, &b)
			}
		}
		if r.Failed() == (c.says == "PASS") {
			t.Errorf("want %q:\n%s", c.says, &b)
		}
	}
}
