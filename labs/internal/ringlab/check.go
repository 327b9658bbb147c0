package ringlab

import (
	"bytes"
	"fmt"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Check tries open on simulated devices.
func Check(r *report.Report, open Open) {
	for _, c := range []func(*report.Report, Open){checkFirst, checkShort, checkLate, checkMany, checkRefuses, checkLiar} {
		lab.Try(r, "", func() { c(r, open) })
		if r.Failed() {
			return
		}
	}
}

// opened opens a device; nil if it cannot, which is reported.
func opened(r *report.Report, open Open, s *spy) Device {
	d, err := open(s, s.mem)
	switch {
	case s.broken(r):
		return nil
	case err != nil:
		r.Fail(fmt.Sprintf("open: %v", err), "TODO 1 and 2: the simulated device takes VERSION_1 and has queue 0, of 64 descriptors at most.")
		return nil
	case d == nil:
		r.Fail("open returns no device.", "TODO 1 and 2.")
		return nil
	}
	if what, hint := s.asleep(); what != "" {
		r.Fail("open has returned, and the device is not live: "+what, hint)
		return nil
	}
	return d
}

func pattern(turn, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(turn*37 + i + 1)
	}
	return b
}

// expect compares an answer.
func expect(r *report.Report, a answer, want []byte, about, hint string) bool {
	switch {
	case a.err != nil:
		r.Fail(fmt.Sprintf("%s: ask: %v", about, a.err), hint)
	case !bytes.Equal(a.b, want):
		r.Fail(fmt.Sprintf("%s: the device wrote % x, and ask returned % x.", about, want, a.b), hint)
	default:
		return true
	}
	return false
}

func checkFirst(r *report.Report, open Open) {
	reads := -1
	s := newSpy(func(c *virtiotest.Chain) {
		reads = len(c.Read)
		n := 0
		for _, w := range c.Write {
			n += len(w)
		}
		c.Done(c.Put(0, pattern(1, n)))
	})
	d := opened(r, open, s)
	if d == nil {
		return
	}
	r.OK("the device is live: status %#x, a queue of %d descriptors", s.Status(), s.size)
	a, ok := s.ask(r, d, 16)
	if !ok {
		return
	}
	if reads > 0 {
		r.Fail("the device found a buffer that it may only read, and wrote nothing.", "TODO 3: a device writes only where a descriptor has the flag WRITE (2).")
		return
	}
	if Load(s.avail, 0)>>16 == 0 && s.Notifications(0) == 0 {
		what := "ask returned nothing"
		if a.err != nil {
			what = fmt.Sprintf("ask returned an error (%v)", a.err)
		}
		r.Fail(what+", and the device was not asked: the index of the available ring is still 0, and nobody has notified it.",
			"TODO 3 and 4: a descriptor that says where the buffer is, its number in the ring, the index, and Notify.")
		return
	}
	if s.Notifications(0) == 0 {
		r.Fail("the device was not notified: it has found the request by chance.", "TODO 4: Notify, behind the new index.")
		return
	}
	if expect(r, a, pattern(1, 16), "one request", "TODO 5: the length of the answer is the second word of the element in the used ring.") {
		r.OK("one request: 16 bytes")
	}
}

func checkShort(r *report.Report, open Open) {
	s := newSpy(func(c *virtiotest.Chain) { c.Done(c.Put(0, pattern(2, 5))) })
	if d := opened(r, open, s); d != nil {
		if a, ok := s.ask(r, d, 16); ok && expect(r, a, pattern(2, 5), "a device that has only 5 bytes", "TODO 5: the device says how many bytes it has written: the second word of the element in the used ring.") {
			r.OK("an answer that is shorter than the buffer")
		}
	}
}

func checkLate(r *report.Report, open Open) {
	s := newSpy(func(c *virtiotest.Chain) {
		time.Sleep(20 * time.Millisecond)
		c.Done(c.Put(0, pattern(3, 16)))
	})
	if d := opened(r, open, s); d != nil {
		if a, ok := s.ask(r, d, 16); ok && expect(r, a, pattern(3, 16), "a device that takes its time", "TODO 5: wait until the index of the used ring has moved. Look again and again; runtime.Gosched() lets others run meanwhile.") {
			r.OK("an answer that comes late")
		}
	}
}

func checkMany(r *report.Report, open Open) {
	turn := 0
	s := newSpy(func(c *virtiotest.Chain) {
		n := 0
		for _, w := range c.Write {
			n += len(w)
		}
		c.Done(c.Put(0, pattern(turn, n)))
	})
	d := opened(r, open, s)
	if d == nil {
		return
	}
	var kept [][]byte
	const rounds = 66_000 // more than the index can count
	for turn = range rounds {
		n := 5 + turn%4
		a, ok := s.ask(r, d, n)
		if !ok || !expect(r, a, pattern(turn, n), fmt.Sprintf("request %d", turn+1), "TODO 4 and 5: the place in either ring is the index modulo the size of the queue; the index itself counts on, and wraps at 65536. What Ask returned before must not change with the next request.") {
			return
		}
		if turn < 3 {
			kept = append(kept, a.b)
		}
		if used := s.mem.Stats().InUse; turn == 1000 && used > 48<<10 {
			r.Fail(fmt.Sprintf("after 1000 requests %d bytes of the devices' memory are in use.", used), "TODO 3: allocate the buffer in open, or free it.")
			return
		}
	}
	for i, b := range kept {
		if !bytes.Equal(b, pattern(i, 5+i%4)) {
			r.Fail(fmt.Sprintf("what ask returned for request %d has changed since.", i+1), "TODO 5: the next request writes into the same buffer: return a copy.")
			return
		}
	}
	r.OK("%d requests, so that all counters wrap", rounds)
}

func checkRefuses(r *report.Report, open Open) {
	s := newSpy(func(c *virtiotest.Chain) {})
	s.RefuseFeatures = true
	d, err := open(s, s.mem)
	if err == nil {
		r.Fail("the device did not keep FEATURES_OK, which means that it refuses the features, and open went on.", "TODO 1: read the status again behind FEATURES_OK, and return an error if the bit is gone.")
		return
	}
	_ = d
	r.OK("a device that refuses the features: open: %v", err)
}

func checkLiar(r *report.Report, open Open) {
	s := newSpy(func(c *virtiotest.Chain) { c.Done(c.Put(0, pattern(4, 16))) })
	s.Tamper = func(_ int, u *virtiotest.UsedElement) { u.Len = 1 << 20 }
	d := opened(r, open, s)
	if d == nil {
		return
	}
	a, ok := s.ask(r, d, 16)
	if !ok {
		return
	}
	if a.err == nil {
		r.Fail(fmt.Sprintf("the device says that it wrote 1048576 bytes into 16, and ask returned %d bytes and no error.", len(a.b)), "TODO 5: a device is a stranger: compare its length with that of the buffer before it is used.")
		return
	}
	r.OK("a device that lies: ask: %v", a.err)
}

var _ virtio.Transport = (*spy)(nil)
