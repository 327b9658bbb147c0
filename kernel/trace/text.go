package trace

import (
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// printer writes events as lines of /proc/yolk/trace.
type printer struct {
	ns   func(tsc uint64) uint64 // since the boot
	name func(e *wire.Event) string
}

// append appends the line of an event.
func (p *printer) append(b []byte, e *wire.Event) []byte {
	us := p.ns(e.Time) / 1000
	b = append(strconv.AppendUint(b, us/1e6, 10), '.')
	frac := strconv.AppendUint(nil, us%1e6+1e6, 10)
	b = append(append(b, frac[1:]...), " cpu"...)
	b = append(strconv.AppendUint(b, uint64(e.CPU), 10), " g"...)
	b = append(strconv.AppendUint(b, e.G, 10), ' ')
	b = append(append(b, e.Kind.String()...), ' ')
	b = append(b, p.name(e)...)
	if e.Is(wire.End) {
		b = append(b, " ="...)
	}
	for _, n := range [...]uint64{e.A, e.B, e.C} {
		b = append(b, ' ')
		if int64(n) < 0 && int64(n) > -4096 {
			b = strconv.AppendInt(b, int64(n), 10)
		} else {
			b = strconv.AppendUint(b, n, 10)
		}
		if e.Is(wire.One) {
			break
		}
	}
	if e.Errno != 0 {
		b = append(append(b, ' '), syscall.Errno(e.Errno).Error()...)
	}
	if e.Name != "" {
		b = append(b, ' ')
		b = strconv.AppendQuote(b, e.Name)
	}
	return append(b, '\n')
}
