package ring

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// takeAll takes what is ready, as the one who sends does.
func takeAll(t *testing.T, r *Ring, stream []byte) []byte {
	t.Helper()
	first, second := r.Ready()
	stream = append(append(stream, first...), second...)
	r.Take(len(first) + len(second))
	return stream
}

// events parses a stream that is whole.
func events(t *testing.T, stream []byte) (list []wire.Event) {
	t.Helper()
	for len(stream) > 0 {
		e, n := wire.Parse(stream)
		if n == 0 {
			t.Fatalf("%d bytes are no event", len(stream))
		}
		list = append(list, e)
		stream = stream[n:]
	}
	return list
}

func TestPut(t *testing.T) {
	r := New(16)
	var stream []byte
	lengths := []int{0, 1, wire.InlineName, wire.InlineName + 1, wire.InlineName + wire.SlotSize, 100, wire.MaxName, wire.MaxName + 50}
	const rounds = 5 // often round the ring
	for i := range rounds * len(lengths) {
		name := strings.Repeat("n", lengths[i%len(lengths)])
		r.Put(uint64(i), 2, wire.Word(wire.Fuse, wire.Async, 44, 5), 3, 4, ^uint64(0), []byte(name))
		stream = takeAll(t, r, stream)
	}
	list := events(t, stream)
	if len(list) != rounds*len(lengths) || r.Lost() != 0 {
		t.Fatalf("%d events, %d lost", len(list), r.Lost())
	}
	for i, e := range list {
		want := wire.Event{Time: uint64(i), G: 2, Kind: wire.Fuse, Flags: wire.Async, Op: 44, Errno: 5, A: 3, B: 4, C: ^uint64(0),
			Name: strings.Repeat("n", min(lengths[i%len(lengths)], wire.MaxName))}
		if e != want {
			t.Errorf("event %d: %+v, want %+v", i, e, want)
		}
	}
}

// TestFull: what there is no room for is counted, and what is there stays as it is.
func TestFull(t *testing.T) {
	State.Store(1)
	r := New(8)
	for range 4 {
		r.Put(0, 0, 0, 0, 0, 0, nil)
	}
	first, _ := r.Ready()
	for range 4 {
		r.Put(0, 0, 0, 0, 0, 0, nil)
	}
	if State.Load() != 1 {
		t.Error("crowded while somebody takes, and there is room")
	}
	r.Take(len(first))
	first, second := r.Ready()
	r.Take(len(first) + len(second))
	if _, _ = r.Ready(); State.Load() != 1 || r.Lost() != 0 {
		t.Error("crowded, or lost, without need")
	}
	r.Take(0)
	for i := range 20 {
		if i == 4 && State.Load() != 1 {
			t.Error("crowded with half of it used")
		}
		r.Put(uint64(i), 0, 0, 0, 0, 0, nil)
		if i == 4 && State.Load() != 1|Crowded {
			t.Error("not crowded with more than half of it used")
		}
	}
	if r.Lost() != 12 {
		t.Errorf("%d lost, want 12", r.Lost())
	}
	list := events(t, takeAll(t, r, nil))
	if len(list) != 8 || list[0].Time != 0 || list[7].Time != 7 {
		t.Errorf("%+v", list)
	}
	r.Put(20, 0, 0, 0, 0, 0, make([]byte, wire.MaxName))
	if list = events(t, takeAll(t, r, nil)); len(list) != 1 || list[0].Time != 20 {
		t.Errorf("with room again: %+v", list)
	}
	// An event that needs more than there is takes nothing.
	for range 6 {
		r.Put(0, 0, 0, 0, 0, 0, nil)
	}
	r.Put(1, 0, 0, 0, 0, 0, make([]byte, wire.MaxName))
	r.Put(2, 0, 0, 0, 0, 0, nil)
	if list = events(t, takeAll(t, r, nil)); len(list) != 7 || list[6].Time != 2 || r.Lost() != 13 {
		t.Errorf("%+v, %d lost", list, r.Lost())
	}
}

// TestMany has many put at once while one takes: each event comes once, whole, in the order
// of who put it in, or is counted as lost.
func TestMany(t *testing.T) {
	const writers, each = 8, 2000
	r := New(256)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			name := []byte(strings.Repeat(string(rune('a'+w)), w*25))
			for i := range each {
				r.Put(uint64(i), uint64(w), 0, uint64(i), uint64(w), 7, name)
				if i%16 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	var stream []byte
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
			runtime.Gosched()
		}
		stream = takeAll(t, r, stream)
	}
	next := map[uint64]uint64{}
	list := events(t, stream)
	for _, e := range list {
		if e.Time < next[e.G] || e.A != e.Time || e.B != e.G || e.C != 7 || e.Name != strings.Repeat(string(rune('a'+e.G)), int(e.G)*25) {
			t.Fatalf("%+v, want no earlier one than %d", e, next[e.G])
		}
		next[e.G] = e.Time + 1
	}
	if n := uint64(len(list)) + r.Lost(); n != writers*each {
		t.Errorf("%d came and %d were lost, of %d", len(list), r.Lost(), writers*each)
	}
}

func TestNewest(t *testing.T) {
	r := New(64)
	n := 0
	put := func(k int) {
		for range k {
			r.Put(uint64(n), 0, 0, 0, 0, 0, make([]byte, n%3*40))
			n++
		}
	}
	check := func(most int) {
		t.Helper()
		list := r.Newest(nil, most)
		if len(list) == 0 || len(list) > most {
			t.Fatalf("%d events, want 1 to %d", len(list), most)
		}
		for i, e := range list {
			if want := uint64(n - len(list) + i); e.Time != want || len(e.Name) != int(want%3*40) {
				t.Fatalf("event %d of %d: %+v, want that of %d", i, len(list), e, want)
			}
		}
	}
	put(5)
	check(10)
	check(3)
	for range 30 {
		takeAll(t, r, nil)
		check(4)
		put(6)
		check(4)
		check(9)
	}
	takeAll(t, r, nil)
	check(6)
	if list := r.Newest([]wire.Event{{Time: 99}}, 2); list[0].Time != 99 || len(list) > 3 {
		t.Errorf("%+v", list)
	}
}

func TestNoAllocation(t *testing.T) {
	r := New(1024)
	name := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() { r.Put(1, 2, 3, 4, 5, 6, name) }); n != 0 {
		t.Errorf("%v allocations for an event", n)
	}
}
