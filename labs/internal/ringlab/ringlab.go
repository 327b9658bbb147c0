// Package ringlab is the given part of lab 3: simulated devices for random numbers,
// well-behaved and not, and the words of the rings.
package ringlab

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Load and Store read and write the 32-bit word at b[off:], which the device reads
// and writes too, in one access; what was stored before a Store is seen before it,
// by a device as by another CPU. Off is a multiple of 4. Who waits calls Load again and again: it lets others run first, of
// which a simulated device is one.
func Load(b []byte, off int) uint32 {
	runtime.Gosched()
	return atomic.LoadUint32(word(b, off))
}

func Store(b []byte, off int, v uint32) { atomic.StoreUint32(word(b, off), v) }

func word(b []byte, off int) *uint32 {
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(b[off : off+4])))
}

// Device is what the student's open returns.
type Device interface {
	// Ask has the device write at most n bytes and returns what it wrote.
	Ask(n int) ([]byte, error)
}

// Open is what the student writes.
type Open func(t virtio.Transport, mem virtio.Memory) (Device, error)

// Main is the lab's main function.
func Main(open Open) {
	p := lab.Program{
		Hosted: func(r *report.Report) { Check(r, open) },
		Guest:  func(r *report.Report) { checkReal(r, open) },
		Show: func() error {
			t, mem, err := device()
			if err != nil {
				return err
			}
			d, err := open(t, mem)
			if err != nil {
				return err
			}
			b, err := d.Ask(16)
			fmt.Printf("%s: % x\n", t.Name(), b)
			return err
		},
	}
	p.Main()
}

// checkReal asks the machine's device.
func checkReal(r *report.Report, open Open) {
	t, mem, err := device()
	if err != nil {
		r.Fail(err.Error(), "")
		return
	}
	d, err := open(t, mem)
	if err != nil {
		r.Fail(fmt.Sprintf("the real device (%s): open: %v", t.Name(), err), "")
		return
	}
	var seen [][]byte
	for range 20 {
		b, err := d.Ask(16)
		switch {
		case err != nil:
			r.Fail(fmt.Sprintf("the real device (%s): ask: %v", t.Name(), err), "")
			return
		case len(b) == 0 || bytes.Equal(b, make([]byte, len(b))):
			r.Fail(fmt.Sprintf("the real device (%s) has written % x: that is not random.", t.Name(), b), "")
			return
		}
		for _, old := range seen {
			if bytes.Equal(old, b) {
				r.Fail(fmt.Sprintf("the real device (%s): % x came twice.", t.Name(), b), "TODO 5: is the answer copied out of the buffer before the next request?")
				return
			}
		}
		seen = append(seen, b)
	}
	r.OK("the real device (%s): 20 answers, such as % x", t.Name(), seen[0])
}

// patience is how many turns of a millisecond a request may take until somebody looks
// at what the driver has forgotten. On a busy machine a turn takes longer, for driver
// and device as well.
var patience = 5000

// spy counts what a driver does.
type spy struct {
	*virtiotest.Device
	mem     *virtiotest.Memory
	enabled bool
	taken   uint64 // features
	size    int
	avail   []byte
	asked   int
	served  atomic.Int32
}

func newSpy(serve func(c *virtiotest.Chain)) *spy {
	mem := virtiotest.NewMemory(1 << 20)
	s := &spy{Device: virtiotest.New(mem, virtio.DeviceEntropy, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 64), mem: mem}
	s.Serve = func(c *virtiotest.Chain) {
		s.served.Add(1)
		serve(c)
	}
	return s
}

func (s *spy) EnableQueue(i, size int, desc, driver, device uint64) error {
	err := s.Device.EnableQueue(i, size, desc, driver, device)
	if err == nil {
		s.enabled, s.size = true, size
		s.avail, _ = s.mem.At(driver, 8) // EnableQueue has looked there already
	}
	return err
}

func (s *spy) SetDriverFeatures(f uint64) {
	s.taken = f
	s.Device.SetDriverFeatures(f)
}

// asleep says why a device is not live; nothing if it is.
func (s *spy) asleep() (what, hint string) {
	const start = virtio.StatusAcknowledge | virtio.StatusDriver
	switch st := s.Status(); {
	case s.Resets() == 0:
		return "it was not reset.", "TODO 1: whoever had the device before may have left it in any state: Reset comes first."
	case st&start != start:
		return fmt.Sprintf("its status is %#x, without ACKNOWLEDGE and DRIVER.", st), "TODO 1: ACKNOWLEDGE says that somebody has seen the device, DRIVER that somebody can drive it."
	case s.taken != virtio.FeatureVersion1:
		return fmt.Sprintf("the features taken are %#x, and those of the lab are VERSION_1, %#x.", s.taken, virtio.FeatureVersion1), "TODO 1: SetDriverFeatures, behind DRIVER and before FEATURES_OK. What you take you have to do: the others change what a ring looks like."
	case st&virtio.StatusFeaturesOK == 0:
		return fmt.Sprintf("its status is %#x, without FEATURES_OK.", st), "TODO 1: FEATURES_OK, behind SetDriverFeatures."
	case !s.enabled:
		return "no queue was enabled.", "TODO 2: the three parts of the queue, and EnableQueue."
	case st&virtio.StatusDriverOK == 0:
		return fmt.Sprintf("its status is %#x, without DRIVER_OK: it does not touch its queue.", st), "TODO 2: DRIVER_OK comes last, behind EnableQueue."
	}
	return "", ""
}

// missing says how far a request has come that is not answered.
func (s *spy) missing() (what, hint string) {
	switch {
	case int(s.served.Load()) >= s.asked:
		return fmt.Sprintf("the device has answered %d requests, and ask still waits.", s.served.Load()), "TODO 5: the index of the used ring is in the upper half of its first word. It counts on and is never reset."
	case s.Notifications(0) < s.asked:
		return "the device was not notified.", "TODO 4: Notify, behind the new index."
	case Load(s.avail, 0)>>16 == 0:
		return "the device was notified, and the index of the available ring is still 0.", "TODO 4: the index is in the upper half of the ring's first word: Store(avail, 0, idx<<16)."
	}
	return "the device was notified before the request was in the ring.", "TODO 4: descriptor, ring, index, and then Notify."
}

// faultHints translates the faults that a device notes.
var faultHints = []struct{ text, hint string }{
	{"FEATURES_OK before DRIVER", "TODO 1: reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, in this order; each status contains the bits of those before."},
	{"DRIVER_OK without FEATURES_OK", "TODO 1: FEATURES_OK comes between SetDriverFeatures and the queues."},
	{"bits cleared without a reset", "TODO 1: a status contains the bits of those before it."},
	{"not offered", "TODO 1: VERSION_1 is the only feature to take."},
	{"enabled after DRIVER_OK", "TODO 2: DRIVER_OK comes last."},
	{"not aligned", "TODO 2: Alloc takes the alignment: 16 for the table, 2 (or more) for the available ring, 4 for the used ring."},
	{"more than a ring ahead", "TODO 4: the index of the available ring grows by 1 with each request, from 0 on."},
	{"head", "TODO 4: the available ring holds the number of the first descriptor: 0."},
	{"readable descriptor", "TODO 3: a device writes only where a descriptor has the flag WRITE (2)."},
	{"chain leaves its table", "TODO 3: with the flag NEXT (1) a descriptor is not the last one. The request has one."},
	{"indirect", "TODO 3: the flag 4 is for indirect tables. WRITE is 2."},
	{"bytes at", "TODO 3: addr is the physical address of the buffer, from mem.Phys, and len is its length."},
	{"bytes:", "TODO 3: addr is the physical address of the buffer, from mem.Phys, and len is its length."},
}

// broken reports the first rule that the driver has broken.
func (s *spy) broken(r *report.Report) bool {
	faults := s.Faults()
	if len(faults) == 0 {
		return false
	}
	hint := ""
	for _, h := range faultHints {
		if hint == "" && strings.Contains(faults[0], h.text) {
			hint = h.hint
		}
	}
	r.Fail("the device complains: "+faults[0], hint)
	return true
}

// answer is what ask returned.
type answer struct {
	b     []byte
	err   error
	panic any
}

// ask calls the student's Ask, and reports a request that is not answered.
func (s *spy) ask(r *report.Report, d Device, n int) (answer, bool) {
	s.asked++
	got := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			a.panic = recover()
			got <- a
		}()
		a.b, a.err = d.Ask(n)
	}()
	for range patience {
		select {
		case a := <-got:
			if a.panic != nil {
				r.Fail(fmt.Sprintf("ask panicked: %v", a.panic), "")
				return a, false
			}
			return a, !s.broken(r)
		case <-time.After(time.Millisecond):
		}
	}
	if !s.broken(r) {
		what, hint := s.missing()
		r.Fail("ask waits for an answer that does not come: "+what, hint)
	}
	return answer{}, false
}
