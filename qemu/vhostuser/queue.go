package vhostuser

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// maxQueueSize is how many entries a queue may have: QEMU's VIRTQUEUE_MAX_SIZE.
// It bounds the requests under way, and the descriptors of one of them.
const maxQueueSize = 1024

// maxIdle is how many workers of a queue wait for work beside the one that
// watches the ring.
const maxIdle = 8

// Split virtqueue (virtio 1.2 §2.7): flags and index of the available ring,
// then entries of 2 bytes, then used_event; flags and index of the used ring,
// then entries of 8 bytes, then avail_event.
const (
	ringIdx  = 2
	ringHead = 4
	usedElem = 8

	availNoInterrupt = 1 // VIRTQ_AVAIL_F_NO_INTERRUPT
)

// queue is a virtqueue. One worker at a time, the leader, watches the ring. It
// does the request that it has taken itself, which spares the hand-over to
// another thread. It leaves its place to another worker first where more
// requests are there, or where the request may take long.
type queue struct {
	device *Device
	index  int

	num                           int
	descAddr, availAddr, usedAddr uint64 // of the front-end
	kick                          int    // -1: none
	enabled                       bool

	// While it runs.
	running           bool
	eventIdx          bool
	desc, avail, used []byte
	stop              int // event descriptor that ends the wait for a kick
	halted            chan struct{}
	workers           sync.WaitGroup
	idle              atomic.Int32
	lead              chan struct{} // takes a value when an idle worker is to lead

	lastAvail uint16 // the leader's
	broken    bool   // the leader's; stays so until the queue is started again

	mu       sync.Mutex // of what follows, and of writes to the used ring
	usedIdx  uint16
	signaled uint16 // index at the last decision whether to interrupt
	decided  bool   // there was one
	call     int    // -1: none

	complained sync.Once
}

func newQueue(d *Device, index int) *queue {
	return &queue{device: d, index: index, kick: -1, call: -1}
}

// start starts the queue with what is set.
func (q *queue) start(m *memory, eventIdx bool) error {
	n := uint64(q.num)
	q.desc = m.front(q.descAddr, 16*n)
	q.avail = m.front(q.availAddr, ringHead+2*n+2)
	q.used = m.front(q.usedAddr, ringHead+usedElem*n+2)
	if n == 0 || q.desc == nil || q.avail == nil || q.used == nil || !aligned(q.avail, 2) || !aligned(q.used, 4) {
		return fmt.Errorf("virtqueue %d of %d entries: rings at %#x, %#x and %#x are not in the memory, or not aligned",
			q.index, n, q.descAddr, q.availAddr, q.usedAddr)
	}
	var err error
	if q.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("virtqueue %d: eventfd: %w", q.index, err)
	}
	q.eventIdx, q.running, q.broken, q.decided = eventIdx, true, false, false
	q.usedIdx = load16(q.used, ringIdx)
	q.halted, q.lead = make(chan struct{}), make(chan struct{})
	q.workers.Add(1)
	go q.work()
	return nil
}

// halt tells the workers to end. It reports whether there are any.
func (q *queue) halt() bool {
	if q.running {
		close(q.halted)
		signal(q.stop)
	}
	return q.running
}

// wait waits for the end of the workers and of their requests.
func (q *queue) wait() {
	q.workers.Wait()
	unix.Close(q.stop)
	q.running = false
}

// close gives back the descriptors of a queue that does not run.
func (q *queue) close() {
	for _, fd := range []*int{&q.kick, &q.call} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
}

// setCall changes how the guest is interrupted, at any time.
func (q *queue) setCall(m *message) error {
	call := -1
	if m.u64(0)&vringNoFD == 0 {
		var err error
		if call, err = m.take(); err != nil {
			return fmt.Errorf("SET_VRING_CALL: %w", err)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.call >= 0 {
		unix.Close(q.call)
	}
	q.call = call
	return nil
}

// work leads, and follows, until the queue is halted or there are enough idle
// workers.
func (q *queue) work() {
	defer q.workers.Done()
	var in, out [][]byte
	for {
		head, ok := q.next()
		if !ok {
			return
		}
		led := true
		detach := func() {
			if led {
				led = false
				q.handOver()
			}
		}
		if q.pending() {
			detach()
		}
		n := 0
		if in, out, ok = q.chain(in[:0], out[:0], head); ok {
			n = q.device.handler.Handle(in, out, detach)
		}
		q.put(head, n)
		if !led && !q.follow() {
			return
		}
	}
}

// handOver makes another worker the leader.
func (q *queue) handOver() {
	select {
	case q.lead <- struct{}{}:
	default:
		q.workers.Add(1)
		go q.work()
	}
}

// follow waits until the worker is to lead.
func (q *queue) follow() bool {
	defer q.idle.Add(-1)
	if q.idle.Add(1) > maxIdle {
		return false
	}
	select {
	case <-q.lead:
		return true
	case <-q.halted:
		return false
	}
}

// next waits for a request and returns the head of its chain. It returns false
// when the queue is halted.
func (q *queue) next() (head uint16, ok bool) {
	for {
		select {
		case <-q.halted:
			return 0, false
		default:
		}
		if q.pending() && !q.broken {
			if head, ok = q.take(); ok {
				return head, true
			}
			q.broken = true
		}
		if q.eventIdx {
			store16(q.used, ringHead+usedElem*q.num, q.lastAvail)
		}
		if q.broken || !q.pending() {
			q.poll()
		}
	}
}

// pending reports whether there are requests to be taken.
func (q *queue) pending() bool { return load16(q.avail, ringIdx) != q.lastAvail }

// take takes the next entry of the available ring.
func (q *queue) take() (head uint16, ok bool) {
	if n := load16(q.avail, ringIdx) - q.lastAvail; int(n) > q.num {
		q.complain("%d requests are available in a ring of %d", n, q.num)
		return 0, false
	}
	head = load16(q.avail, ringHead+2*(int(q.lastAvail)%q.num))
	if int(head) >= q.num {
		q.complain("descriptor %d is available, of %d", head, q.num)
		return 0, false
	}
	q.lastAvail++
	return head, true
}

// poll waits for a kick or the halt.
func (q *queue) poll() {
	fds := []unix.PollFd{{Fd: int32(q.stop), Events: unix.POLLIN}, {Fd: int32(q.kick), Events: unix.POLLIN}}
	if q.broken {
		fds = fds[:1]
	}
	// An error is EINTR; whoever calls looks again.
	if n, err := unix.Poll(fds, -1); n > 0 && err == nil && fds[0].Revents == 0 {
		var count [8]byte
		_, _ = unix.Read(q.kick, count[:])
	}
}

// Descriptor flags (virtio 1.2 §2.7.5).
const (
	descNext     = 1
	descWrite    = 2
	descIndirect = 4
	descSize     = 16
)

// chain appends the memory of a chain of descriptors: what the device reads to
// in, what it writes to out. Each descriptor is read once, and a chain has no
// more than its table, so that no guest can have it go round in a circle.
func (q *queue) chain(in, out [][]byte, head uint16) (_, _ [][]byte, ok bool) {
	m := q.device.memory
	table, i, indirect := q.desc, int(head), false
	for left := len(table) / descSize; left > 0; left-- {
		var d [descSize]byte
		copy(d[:], table[descSize*i:])
		addr, size := binary.LittleEndian.Uint64(d[:]), binary.LittleEndian.Uint32(d[8:])
		flags := binary.LittleEndian.Uint16(d[12:])
		if flags&descIndirect != 0 {
			parts, ok := m.guest(nil, addr, size)
			if indirect || flags&descNext != 0 || !ok || len(parts) != 1 || size%descSize != 0 || size > maxQueueSize*descSize {
				q.complain("an indirect table of %d bytes at %#x", size, addr)
				return in, out, false
			}
			table, i, indirect = parts[0], 0, true
			left = len(table)/descSize + 1
			continue
		}
		var ok bool
		if flags&descWrite != 0 {
			out, ok = m.guest(out, addr, size)
		} else if len(out) == 0 {
			in, ok = m.guest(in, addr, size)
		}
		if !ok {
			q.complain("%d bytes at %#x are not memory, or to be read behind such as are to be written", size, addr)
			return in, out, false
		}
		if flags&descNext == 0 {
			return in, out, true
		}
		if i = int(binary.LittleEndian.Uint16(d[14:])); i >= len(table)/descSize {
			q.complain("descriptor %d follows, of %d", i, len(table)/descSize)
			return in, out, false
		}
	}
	q.complain("a chain of descriptors is longer than its table")
	return in, out, false
}

// put gives a chain back to the guest, with n bytes written.
func (q *queue) put(head uint16, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	elem := q.used[ringHead+usedElem*(int(q.usedIdx)%q.num):]
	binary.LittleEndian.PutUint32(elem, uint32(head))
	binary.LittleEndian.PutUint32(elem[4:], uint32(n))
	q.usedIdx++
	store32(q.used, 0, uint32(q.usedIdx)<<16) // and flags 0: the guest shall kick
	if q.interrupts() && q.call >= 0 {
		signal(q.call)
	}
}

// interrupts decides whether the guest wants to know (virtio 1.2 §2.7.7).
func (q *queue) interrupts() bool {
	if !q.eventIdx {
		return load16(q.avail, 0)&availNoInterrupt == 0
	}
	event, old, first := load16(q.avail, ringHead+2*q.num), q.signaled, !q.decided
	q.signaled, q.decided = q.usedIdx, true
	return first || q.usedIdx-event-1 < q.usedIdx-old
}

func (q *queue) complain(format string, args ...any) {
	q.complained.Do(func() {
		q.device.logf("virtqueue %d: %s", q.index, fmt.Sprintf(format, args...))
	})
}

// signal adds one to an event descriptor; a full one tells as much.
func signal(fd int) {
	_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}
