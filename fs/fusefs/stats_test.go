package fusefs

import (
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestStats: messages are counted with their bytes, and with their times from when somebody
// wants to know.
func TestStats(t *testing.T) {
	f := mountScript(t, newScript(0), Options{})
	of := func(op string) (o OpStats) {
		for _, s := range f.Stats() {
			if s.Op == op {
				o = s
			}
		}
		return o
	}
	lookup(t, f.root, "f").Unref()
	before := of("LOOKUP")
	if before.Calls == 0 || before.Sent != before.Calls*(fuse.InHeaderSize+2) || before.Received < before.Calls*fuse.OutHeaderSize || before.Took != 0 || before.Times != [TimeClasses]uint64{} {
		t.Errorf("%+v", before)
	}
	f.Measure()
	lookup(t, f.root, "f").Unref()
	after := of("LOOKUP")
	sum := uint64(0)
	for _, n := range after.Times {
		sum += n
	}
	if sum == 0 || sum != after.Calls-before.Calls || after.Took <= 0 || after.Sent != before.Sent+sum*(fuse.InHeaderSize+2) {
		t.Errorf("%+v, %d times, before %+v", after, sum, before)
	}
	f.flushForgets()
	if o := of("FORGET"); o.Calls > 0 && o.Sent != o.Calls*(fuse.InHeaderSize+fuse.ForgetInSize) {
		t.Errorf("%+v", o)
	}
}

// TestTimeClasses: a time is less than the limit of its class, and no less than that of
// the one before.
func TestTimeClasses(t *testing.T) {
	for _, d := range []time.Duration{-1, 0, 1, 8191, 8192, 16383, 16384, time.Second, TimeLimit(TimeClasses-2) - 1, TimeLimit(TimeClasses - 2), time.Hour} {
		var s opStats
		s.observe(d)
		for class := range s.times {
			n := s.times[class].Load()
			in := (class == 0 || d >= TimeLimit(class-1)) && (class == TimeClasses-1 || d < TimeLimit(class))
			if (n == 1) != in {
				t.Errorf("%v: class %d has %d", d, class, n)
			}
		}
	}
}
