package vhostuser

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// frontend does what QEMU and a guest do: it tells the device of a memory, and
// puts requests into two virtqueues. It is a fuse.Transport.
type frontend struct {
	t      testing.TB
	conn   *net.UnixConn
	memory []byte
	queues [2]*driver
}

// Layout of the memory: rings of a page each, then the slots.
const (
	driverSize  = 64 // entries
	ringBytes   = 4096
	slotsAt     = 2 * 3 * ringBytes
	slotBytes   = 2 * halfSlot
	halfSlot    = maxMessage + 4096
	maxMessage  = 1 << 20
	slots       = 8 // of each queue
	memoryBytes = slotsAt + 2*slots*slotBytes

	guestBase = 0x100000     // guest-physical address of the memory
	frontBase = 0x7000000000 // the front-end's
)

// driver is the driver's side of a virtqueue.
type driver struct {
	desc, avail, used []byte
	kick, call        int
	mu                sync.Mutex
	availIdx          uint16
	usedIdx           uint16
	free              chan int           // slots
	done              [slots]chan uint32 // bytes written
}

// memfile makes memory that can be shared.
func memfile(t testing.TB, size int) (int, []byte) {
	t.Helper()
	fd, err := unix.MemfdCreate("guest", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Munmap(b)
		unix.Close(fd)
	})
	return fd, b
}

func eventfd(t testing.TB) int {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// connect sets up the device at the other end of conn.
func connect(t testing.TB, conn *net.UnixConn) *frontend {
	f := &frontend{t: t, conn: conn}
	fd, memory := memfile(t, memoryBytes)
	f.memory = memory
	offered := f.ask(getFeatures)
	if offered&features != features {
		t.Fatalf("features %#x, want %#x", offered, uint64(features))
	}
	f.tell(setOwner, nil)
	f.ask(getProtocolFeatures)
	f.tell(setProtocolFeatures, nil, 0)
	f.tell(setFeatures, nil, features)
	f.tell(setMemTable, []int{fd}, 1, guestBase, memoryBytes, frontBase, 0)
	for i := range f.queues {
		f.startQueue(i)
	}
	f.ask(getFeatures) // all that was told is done
	return f
}

func (f *frontend) startQueue(i int) {
	at := i * 3 * ringBytes
	q := &driver{
		desc: f.memory[at:], avail: f.memory[at+ringBytes:], used: f.memory[at+2*ringBytes:],
		kick: eventfd(f.t), call: eventfd(f.t), free: make(chan int, slots),
	}
	clear(f.memory[at : at+3*ringBytes])
	for s := range slots {
		q.free <- s
		q.done[s] = make(chan uint32, 1)
	}
	f.queues[i] = q
	index := uint64(i)
	f.tell(setVringNum, nil, index|driverSize<<32)
	f.tell(setVringBase, nil, index)
	base := uint64(frontBase + at)
	f.tell(setVringAddr, nil, index, base, base+2*ringBytes, base+ringBytes, 0)
	f.tell(setVringKick, []int{q.kick}, index)
	f.tell(setVringCall, []int{q.call}, index)
	f.tell(setVringEnable, nil, index|1<<32)
}

// tell sends a request without an answer.
func (f *frontend) tell(request uint32, fds []int, values ...uint64) {
	f.t.Helper()
	msg := binary.LittleEndian.AppendUint32(nil, request)
	msg = binary.LittleEndian.AppendUint32(msg, version)
	msg = binary.LittleEndian.AppendUint32(msg, uint32(8*len(values)))
	for _, v := range values {
		msg = binary.LittleEndian.AppendUint64(msg, v)
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if _, _, err := f.conn.WriteMsgUnix(msg, oob, nil); err != nil {
		f.t.Fatal(err)
	}
}

// ask sends a request and returns the number of its answer.
func (f *frontend) ask(request uint32, values ...uint64) uint64 {
	f.t.Helper()
	f.tell(request, nil, values...)
	f.conn.SetReadDeadline(time.Now().Add(time.Minute))
	m, err := readMessage(f.conn)
	if err != nil || m.request != request || len(m.payload) != 8 {
		f.t.Fatalf("answer to %d: %+v, %v", request, m, err)
	}
	return m.u64(0)
}

// slot returns the memory for a request of a queue and its reply.
func (f *frontend) slot(queue, slot int) (in, out []byte) {
	at := slotsAt + (queue*slots+slot)*slotBytes
	return f.memory[at : at+halfSlot], f.memory[at+halfSlot : at+slotBytes]
}

// send makes a request of a slot available, in up to two parts each of in and
// out, as a guest sends them. The chain of slot s starts at descriptor 4s.
func (f *frontend) send(queue, slot int, in, out []int) {
	q := f.queues[queue]
	at := guestBase + uint64(slotsAt+(queue*slots+slot)*slotBytes)
	i := 4 * slot
	for k, sizes := range [][]int{in, out} {
		off := uint64(k * halfSlot)
		for _, n := range sizes {
			flags := descNext | k*descWrite
			if i-4*slot == len(in)+len(out)-1 {
				flags &^= descNext
			}
			putDesc(q.desc, i, at+off, n, flags, i+1)
			off += uint64(n)
			i++
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.publish(uint16(4 * slot))
}

// publish puts the head of a chain into the available ring.
func (q *driver) publish(head uint16) {
	binary.LittleEndian.PutUint16(q.avail[ringHead+2*(int(q.availIdx)%driverSize):], head)
	q.availIdx++
	store32(q.avail, 0, uint32(q.availIdx)<<16)
	event := load16(q.used, ringHead+usedElem*driverSize)
	if q.availIdx-event-1 < 1 {
		signal(q.kick)
	}
}

func putDesc(table []byte, i int, addr uint64, size, flags, next int) {
	d := table[descSize*i:]
	binary.LittleEndian.PutUint64(d, addr)
	binary.LittleEndian.PutUint32(d[8:], uint32(size))
	binary.LittleEndian.PutUint16(d[12:], uint16(flags))
	binary.LittleEndian.PutUint16(d[14:], uint16(next))
}

// wait waits for one interrupt and delivers what is done.
func (q *driver) wait() {
	var count [8]byte
	for {
		if _, err := unix.Read(q.call, count[:]); err != unix.EINTR {
			break
		}
	}
	q.deliver()
}

func (q *driver) deliver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for load16(q.used, ringIdx) != q.usedIdx {
			elem := q.used[ringHead+usedElem*(int(q.usedIdx)%driverSize):]
			q.usedIdx++
			q.done[binary.LittleEndian.Uint32(elem)/4] <- binary.LittleEndian.Uint32(elem[4:])
		}
		store16(q.avail, ringHead+2*driverSize, q.usedIdx) // used_event
		if load16(q.used, ringIdx) == q.usedIdx {
			return
		}
	}
}

// exchange does the request in slot 0 of the request queue, with nobody else
// at work.
func (f *frontend) exchange(in, out []int) int {
	q := f.queues[1]
	f.send(1, 0, in, out)
	for {
		q.wait()
		select {
		case n := <-q.done[0]:
			return int(n)
		default:
		}
	}
}

// run delivers until the test ends, for RoundTrip.
func (f *frontend) run() {
	for _, q := range f.queues {
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				q.wait()
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		f.t.Cleanup(func() {
			close(stop)
			signal(q.call)
			<-ended
		})
	}
}

func (f *frontend) Name() string { return "vhost-user" }

func (f *frontend) RoundTrip(in, out [][]byte) (int, error) {
	return f.roundTrip(1, in, out)
}

func (f *frontend) Send(in [][]byte) error {
	_, err := f.roundTrip(0, in, nil)
	return err
}

func (f *frontend) roundTrip(queue int, in, out [][]byte) (int, error) {
	q := f.queues[queue]
	s := <-q.free
	defer func() { q.free <- s }()
	request, reply := f.slot(queue, s)
	n, room := 0, 0
	for _, p := range in {
		n += copy(request[n:], p)
	}
	for _, p := range out {
		room += len(p)
	}
	sizes := []int{room}
	if room == 0 {
		sizes = nil
	}
	f.send(queue, s, []int{n}, sizes)
	select {
	case got := <-q.done[s]:
		if int(got) > room {
			return 0, fmt.Errorf("%d bytes written, of %d", got, room)
		}
		left := reply[:got]
		for _, p := range out {
			left = left[copy(p, left):]
		}
		return int(got), nil
	case <-time.After(time.Minute):
		return 0, os.ErrDeadlineExceeded
	}
}
