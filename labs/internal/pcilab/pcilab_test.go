package pcilab

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/labs/internal/report"
)

// student is a scan with mistakes.
type student struct {
	enable      uint32 // bit 31 of the address
	devShift    int
	port        uint16 // of the data
	stopAtHole  bool
	allFn       bool // asks eight functions of every device
	oneFn       bool // asks one of every device
	fnHole      bool // stops at a function that is missing
	noBridge    bool
	bridgeByte  int  // of the bus number
	followsZero bool // a bridge without a number
	hidesBridge bool
	swapped     bool
	classByte   int
}

func right() student {
	return student{enable: 1 << 31, devShift: 11, port: 0xcfc, bridgeByte: 1, classByte: 2}
}

func (s student) read(p reg.Ports, bus, dev, fn, off int) uint32 {
	p.Out32(0xcf8, s.enable|uint32(bus)<<16|uint32(dev)<<s.devShift|uint32(fn)<<8|uint32(off))
	return p.In32(s.port)
}

func (s student) scan(p reg.Ports, bus int) (list []Function) {
	for dev := range 32 {
		for fn := range 8 {
			id := s.read(p, bus, dev, fn, 0)
			if id == 0xffffffff {
				if fn == 0 && s.stopAtHole {
					return list
				}
				if fn == 0 || s.fnHole {
					break
				}
				continue
			}
			f := Function{bus, dev, fn, uint16(id), uint16(id >> 16), uint16(s.read(p, bus, dev, fn, 8) >> (8 * s.classByte))}
			if s.swapped {
				f.Vendor, f.Device = f.Device, f.Vendor
			}
			header := s.read(p, bus, dev, fn, 0xc) >> 16
			bridge := header&0x7f == 1
			if !bridge || !s.hidesBridge {
				list = append(list, f)
			}
			if bridge && !s.noBridge {
				if b := int(s.read(p, bus, dev, fn, 0x18) >> (8 * s.bridgeByte) & 0xff); b > bus || s.followsZero {
					list = append(list, s.scan(p, b)...)
				}
			}
			if fn == 0 && (s.oneFn || header&0x80 == 0 && !s.allFn) {
				break
			}
		}
	}
	return list
}

// TestDiagnosis: the check names what is wrong with a scan.
func TestDiagnosis(t *testing.T) {
	for _, c := range []struct {
		spoil func(*student)
		says  string // words of the verdict, separated by |
	}{
		{func(s *student) {}, "PASS"},
		{func(s *student) { s.enable = 0 }, "without bit 31|TODO 1"},
		{func(s *student) { s.devShift = 12 }, "that is bus 3, device 10|TODO 1"},
		{func(s *student) { s.port = 0xcf8 }, "from port 0xcfc|TODO 1"},
		{func(s *student) { s.port = 0xcf4 }, "Port 0xcf4 was read"},
		{func(s *student) { s.swapped = true }, "exchanged|TODO 2"},
		{func(s *student) { s.classByte = 1 }, "has class 0600|TODO 2"},
		{func(s *student) { s.stopAtHole = true }, "00:07.0 was not found|TODO 2"},
		{func(s *student) { s.allFn = true }, "00:03.1 was found, and is not there|TODO 3"},
		{func(s *student) { s.oneFn = true }, "00:1f.2 was not found|TODO 3"},
		{func(s *student) { s.fnHole = true }, "00:1f.2 was not found|TODO 3"},
		{func(s *student) { s.noBridge = true }, "05:01.0 was not found|TODO 4"},
		{func(s *student) { s.bridgeByte = 2 }, "05:01.0 was not found|TODO 4"},
		{func(s *student) { s.hidesBridge = true }, "00:02.0 was not found|TODO 4"},
		{func(s *student) { s.followsZero = true }, "150,000 words|TODO 4"},
	} {
		s := right()
		c.spoil(&s)
		var b strings.Builder
		r := report.New(&b)
		Check(r, s.read, s.scan)
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
