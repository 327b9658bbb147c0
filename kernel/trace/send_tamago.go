//go:build tamago

package trace

import (
	"io"
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
	port io.Writer
	g    uint64        // the goroutine that sends
	own  atomic.Uint64 // the queue that it uses, see ownQueue

	mu     sync.Mutex // held by who sends
	head   []byte     // frames that are written next
	begun  bool
	failed bool
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
	port, ok := kernel.Port(wire.PortName)
	if !ok {
		return // there is /proc/yolk/trace
	}
	sender.port = port
	started := make(chan struct{})
	go sender.run(started)
	<-started
	kernel.AtEnd(sender.finish)
}

// restless is how many slots there are in a round that is not about sending the one
// before alone.
const restless = 24

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
	used := uint64(0)
	timer := time.NewTimer(sendSoon)
	for {
		ring.Crowded.Store(false)
		tr.woken.Store(false)
		s.send()
		wait := sendLater
		if was, now := used, slotsUsed(); now-was > restless {
			used, wait = now, sendSoon
		} else {
			used = now
		}
		timer.Reset(wait)
		select {
		case <-tr.wake:
		case <-timer.C:
		}
	}
}

// finish sends what there is at the end. Nothing more comes.
func (s *sending) finish() {
	tr.on.Store(0)
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
	for cpu, r := range &ring.CPUs {
		if r == nil {
			continue
		}
		first, second := r.Ready()
		if n := len(first) + len(second); n > 0 {
			s.head = wire.Header{Type: wire.FrameEvents, CPU: uint16(cpu), Size: uint32(n), Value: r.Lost()}.AppendTo(s.head)
			s.flush()
			s.write(first)
			s.write(second)
			r.Take(n)
		}
	}
	s.head = wire.Header{Type: wire.FrameRound, Value: now}.AppendTo(s.head)
	s.flush()
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

// flush writes what is in head.
func (s *sending) flush() {
	s.write(s.head)
	s.head = s.head[:0]
}

func (s *sending) write(p []byte) {
	if len(p) > 0 && !s.failed {
		_, err := s.port.Write(p)
		s.failed = err != nil // the launcher does without the rest
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
