//go:build tamago

package trace

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/kernel"
	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/syscalls"
)

// sending is how events get to the launcher.
type sending struct {
	port port
	g    uint64        // the goroutine that sends
	own  atomic.Uint64 // the queue that it uses, see ownQueue

	mu     sync.Mutex // held by who sends
	head   []byte     // frames that are written next
	begun  bool
	failed bool
}

// port is a *console.Port.
type port interface {
	WriteParts(parts ...[]byte) error
}

var sender sending

// How long the launcher has to wait for events: while there are some, and while the
// machine does nothing that it would wait for.
const (
	sendSoon  = 50 * time.Millisecond
	sendLater = time.Second
)

// ready starts to send.
func ready() {
	p, _ := kernel.Port(wire.PortName)
	port, ok := p.(port)
	if !ok {
		return // there is /proc/yolk/trace
	}
	sender.port = port
	started := make(chan struct{})
	go sender.run(started)
	<-started
	kernel.AtEnd(sender.finish)
}

// restless is how many slots there may be between two rounds that are about sending the first alone: who waits for the
// console runs once more.
const restless = 64

// slotsUsed is how many slots have been used so far.
func slotsUsed() (n uint64) {
	for _, r := range &ring.CPUs {
		if r != nil {
			n += r.Head()
		}
	}
	return n
}

func (s *sending) run(started chan struct{}) {
	s.g = ring.Goroutine()
	close(started)
	timer := time.NewTimer(sendSoon)
	used := uint64(0) // slots, when the last round was over
	for {
		ring.State.And(^ring.Crowded)
		tr.woken.Store(false)
		wait := sendLater
		if slotsUsed()-used > restless {
			wait = sendSoon
		}
		s.send()
		used = slotsUsed()
		timer.Reset(wait)
		select {
		case <-tr.wake:
		case <-timer.C:
		}
	}
}

// finish sends what there is at the end. Nothing more comes.
func (s *sending) finish() {
	ring.State.Store(0)
	s.send()
}

// send sends what there is.
func (s *sending) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed {
		s.discard()
		return
	}
	if !s.begun {
		s.begun = true
		s.head = append(s.head, wire.Magic...)
	}
	now := ring.Now()
	base, scale := amd64.CounterClock()
	clock := wire.Clock{Base: base, Scale: scale, Wall: time.Now().UnixNano()}
	s.head = wire.Header{Type: wire.FrameClock, Size: wire.ClockSize, Value: now}.AppendTo(s.head)
	s.head = clock.AppendTo(s.head)
	s.addNames(wire.CallNames, callName)
	s.addNames(wire.FuseNames, func(i int) string { return fuse.OpName(uint32(i)) })
	s.addNames(wire.DeviceNames, nameOfDevice)
	s.addNames(wire.ShareNames, shareName)
	s.addNames(wire.LeftNames, func(i int) string { return switchReason(uint32(i)) })
	last := len(ring.CPUs) - 1
	for last > 0 && ring.CPUs[last] == nil {
		last--
	}
	end := wire.Header{Type: wire.FrameRound, Value: now}.AppendTo(nil)
	for cpu, r := range ring.CPUs[:last+1] {
		first, second := r.Ready()
		n := len(first) + len(second)
		if n > 0 {
			s.head = wire.Header{Type: wire.FrameEvents, CPU: uint16(cpu), Size: uint32(n), Value: r.Lost()}.AppendTo(s.head)
		}
		switch {
		case cpu == last:
			s.write(s.head, first, second, end)
		case n > 0:
			s.write(s.head, first, second)
		default:
			r.Take(0)
			continue
		}
		s.head = s.head[:0]
		r.Take(n)
	}
}

// discard makes room where nobody listens.
func (s *sending) discard() {
	for _, r := range &ring.CPUs {
		if r != nil {
			first, second := r.Ready()
			r.Take(len(first) + len(second))
		}
	}
}

func (s *sending) addNames(space int, name func(number int) string) {
	tr.names[space].untold(func(i int) {
		text := name(i)
		s.head = wire.Header{Type: wire.FrameName, Size: uint32(len(text)), Value: uint64(space)<<32 | uint64(i)}.AppendTo(s.head)
		s.head = append(s.head, text...)
	})
}

// write writes parts behind each other, in one request: each makes interrupts, and these events.
func (s *sending) write(parts ...[]byte) {
	if !s.failed {
		s.failed = s.port.WriteParts(parts...) != nil // the launcher does without the rest
	}
}

// callName names a system call, or what stands beside them.
func callName(number int) string {
	for _, h := range &hotCalls {
		if int(h.num) == number {
			return h.name
		}
	}
	name, _, _, _ := syscalls.State(number)
	return name
}
