package vhostuser

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/qemu/passthrough"
)

// echo answers each request with itself, and counts them.
type echo struct {
	requests, cancels atomic.Int64
	hold              chan struct{} // not nil: requests wait for it, detached
}

func (e *echo) Handle(in, out [][]byte, detach func()) (n int) {
	e.requests.Add(1)
	if e.hold != nil {
		detach()
		<-e.hold
	}
	for i := range min(len(in), len(out)) {
		n += copy(out[i], in[i])
	}
	return n
}

func (e *echo) Cancel() { e.cancels.Add(1) }

// served is a device in this process with the front-end's end of its
// connection, and what Serve will return.
func served(t testing.TB, h Handler, logf func(string, ...any)) (conn *net.UnixConn, ended chan error) {
	t.Helper()
	conn, theirs := socketPair(t)
	c, err := net.FileConn(theirs)
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() {
		ended <- New(2, h, logf).Serve(c.(*net.UnixConn))
		c.Close()
	}()
	t.Cleanup(func() { conn.Close() })
	return conn, ended
}

// TestSuite runs the suite of file systems over the device, with a memory that
// both share, and resets the device between its tests.
func TestSuite(t *testing.T) {
	if unix.Getuid() != 0 {
		t.Skip("the suite makes files that only the superuser may read")
	}
	fstest.Suite(t, fstest.SuiteConfig{New: func(t *testing.T) fs.FileSystem {
		s, err := passthrough.New(t.TempDir(), passthrough.Options{Valid: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		conn, ended := served(t, s, t.Logf)
		front := connect(t, conn)
		front.run()
		f, err := fusefs.Mount(front, fusefs.Options{Logf: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			conn.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			s.Close()
		})
		return f
	}})
}

// TestReset stops and starts a queue as QEMU does when the guest resets the
// device: requests under way come to their end first.
func TestReset(t *testing.T) {
	h := &echo{}
	conn, ended := served(t, h, t.Logf)
	f := connect(t, conn)
	for round := range 3 {
		for range 100 {
			in, out := f.slot(1, 0)
			copy(in, "hello")
			if n := f.exchange([]int{5}, []int{100}); n != 5 || string(out[:5]) != "hello" {
				t.Fatalf("round %d: %d bytes, %q", round, n, out[:5])
			}
		}
		if base := f.ask(getVringBase, 1); base != 1|100<<32 {
			t.Errorf("round %d: queue stopped at %#x", round, base)
		}
		f.startQueue(1)
		f.ask(getFeatures)
	}
	// What is put in while it is stopped is found when it is started.
	f.ask(getVringBase, 1)
	f.tell(setVringEnable, nil, 1)
	conn.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if h.requests.Load() != 300 {
		t.Errorf("%d requests", h.requests.Load())
	}
}

// TestDetached has requests wait, more than there are workers that idle, and
// others pass them.
func TestDetached(t *testing.T) {
	h := &echo{hold: make(chan struct{})}
	conn, _ := served(t, h, t.Logf)
	f := connect(t, conn)
	f.run()
	done := make(chan error, 2*slots)
	for range slots {
		go func() {
			_, err := f.RoundTrip([][]byte{[]byte("wait")}, [][]byte{make([]byte, 10)})
			done <- err
		}()
	}
	for deadline := time.Now().Add(time.Minute); h.requests.Load() < slots; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests are under way, want %d", h.requests.Load(), slots)
		}
	}
	close(h.hold)
	for range slots {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestHostileRings puts what no driver may into descriptors and rings. The
// request comes back empty, or the queue is left alone; the device lives.
func TestHostileRings(t *testing.T) {
	const in, out = guestBase + slotsAt + slots*slotBytes, guestBase + slotsAt + slots*slotBytes + halfSlot // slot 0 of queue 1
	for name, tt := range map[string]struct {
		do   func(f *frontend, q *driver)
		stop bool // the queue is of no use any more
	}{
		"a descriptor that follows itself": {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 8, descNext, 0) }},
		"a circle of writable ones": {do: func(f *frontend, q *driver) {
			for i := range driverSize {
				putDesc(q.desc, i, out, 8, descNext|descWrite, (i+1)%driverSize)
			}
		}},
		"a next one beyond the table": {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 8, descNext, driverSize) }},
		"memory that is none":         {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, 0, 8, 0, 0) }},
		"memory beyond the end":       {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, guestBase+memoryBytes-4, 8, 0, 0) }},
		"memory that wraps":           {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, 1<<64-4, 8, descWrite, 0) }},
		"memory of 4 GiB":             {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 1<<32-1, 0, 0) }},
		"an empty indirect table":     {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 0, descIndirect, 0) }},
		"an odd indirect table":       {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 17, descIndirect, 0) }},
		"a long indirect table":       {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, (maxQueueSize+1)*descSize, descIndirect, 0) }},
		"an indirect table elsewhere": {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, 1<<40, 16, descIndirect, 0) }},
		"an indirect one with a next": {do: func(f *frontend, q *driver) { putDesc(q.desc, 0, in, 16, descIndirect|descNext, 1) }},
		"an indirect one in an indirect": {do: func(f *frontend, q *driver) {
			table, _ := f.slot(1, 0)
			putDesc(table, 0, in, 16, descIndirect, 0)
			putDesc(q.desc, 0, in, 16, descIndirect, 0)
		}},
		"a circle in an indirect table": {do: func(f *frontend, q *driver) {
			table, _ := f.slot(1, 0)
			putDesc(table, 0, in, 16, descNext, 0)
			putDesc(q.desc, 0, in, 16, descIndirect, 0)
		}},
		"to be read behind to be written": {do: func(f *frontend, q *driver) {
			putDesc(q.desc, 0, out, 8, descWrite|descNext, 1)
			putDesc(q.desc, 1, in, 8, 0, 0)
		}},
		"a head beyond the table": {stop: true, do: func(f *frontend, q *driver) {
			binary.LittleEndian.PutUint16(q.avail[ringHead:], driverSize)
			store32(q.avail, 0, 1<<16)
		}},
		"more heads than entries": {stop: true, do: func(f *frontend, q *driver) { store32(q.avail, 0, 1000<<16) }},
	} {
		t.Run(name, func(t *testing.T) {
			h := &echo{}
			told := make(chan string, 10)
			conn, ended := served(t, h, func(format string, args ...any) { told <- format })
			f := connect(t, conn)
			q := f.queues[1]
			tt.do(f, q)
			if tt.stop {
				signal(q.kick)
			} else {
				q.publish(0)
				q.wait()
				if n := <-q.done[0]; n != 0 {
					t.Errorf("%d bytes written", n)
				}
			}
			<-told
			if n := h.requests.Load(); n != 0 {
				t.Errorf("%d requests seen", n)
			}
			// Started again, it works; so does an indirect table as it should be.
			f.ask(getVringBase, 1)
			f.startQueue(1)
			f.ask(getFeatures)
			table, reply := f.slot(1, 0)
			copy(table[64:], "hi")
			putDesc(table, 0, in+64, 2, descNext, 1)
			putDesc(table, 1, out, 10, descWrite, 0)
			q = f.queues[1]
			putDesc(q.desc, 0, in, 32, descIndirect, 0)
			q.publish(0)
			q.wait()
			if n := <-q.done[0]; n != 2 || string(reply[:2]) != "hi" {
				t.Errorf("afterwards: %d bytes, %q", n, reply[:2])
			}
			conn.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBadMessages ends connections that do not speak the protocol, with the
// reason.
func TestBadMessages(t *testing.T) {
	header := func(request, flags, size uint32) (b []byte) {
		for _, v := range []uint32{request, flags, size} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	with := func(request uint32, values ...uint64) []byte {
		b := header(request, version, uint32(8*len(values)))
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		return b
	}
	for name, tt := range map[string]struct {
		msg  []byte
		want string
	}{
		"too long":              {header(getFeatures, version, 1<<31), "more than 4096"},
		"cut short":             {header(getFeatures, version, 0)[:5], io.ErrUnexpectedEOF.Error()},
		"cut in the payload":    {header(setFeatures, version, 8), io.ErrUnexpectedEOF.Error()},
		"another version":       {header(getFeatures, 2, 0), "version"},
		"unknown":               {header(99, version, 0), "not known"},
		"too short":             {with(setVringAddr, 0), "not known"},
		"features not offered":  {with(setFeatures, 1<<40), "not offered"},
		"no such queue":         {with(setVringNum, 2|64<<32), "virtqueue 2"},
		"no such queue to stop": {with(getVringBase, 1<<31), "virtqueue"},
		"no entries":            {with(setVringNum, 0), "power of 2"},
		"odd entries":           {with(setVringNum, 3<<32), "power of 2"},
		"too many entries":      {with(setVringNum, 2048<<32), "power of 2"},
		"memory without a file": {with(setMemTable, 1, 0, 4096, 0, 0), "descriptors"},
		"nine regions":          {with(setMemTable, 9), "9 regions"},
		"a kick without a file": {with(setVringKick, 0), "descriptors"},
		"a call without a file": {with(setVringCall, 1), "descriptors"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, ended := served(t, &echo{}, t.Logf)
			if _, err := conn.Write(tt.msg); err != nil {
				t.Fatal(err)
			}
			conn.CloseWrite()
			if err := <-ended; err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	for name, region := range map[string][4]uint64{
		"no bytes": {0, 0, 0, 0}, "huge": {0, 1 << 63, 0, 0}, "offset": {0, 4096, 0, 1<<63 - 1}, "wraps": {1<<64 - 4096, 8192, 0, 0},
		"front-end's wraps": {0, 8192, 1<<64 - 4096, 0},
	} {
		m := &memory{}
		fd, _ := memfile(t, 8192)
		if err := m.add(fd, region[0], region[1], region[2], region[3]); err == nil {
			t.Errorf("region of memory, %s: no error", name)
			m.close()
		}
	}
	// With an answer that was asked for, the front-end decides.
	conn, _ := served(t, &echo{}, t.Logf)
	msg := with(setVringNum, 3<<32)
	msg[4] |= flagNeedReply
	conn.Write(msg)
	if m, err := readMessage(conn); err != nil || m.u64(0) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestRegions has memory in pieces that follow one another, as that of a guest
// around a hole.
func TestRegions(t *testing.T) {
	m := &memory{}
	defer m.close()
	fd, b := memfile(t, 3*4096)
	for i, guest := range []uint64{4096, 8192, 1 << 32} {
		if err := m.add(fd, guest, 4096, 1<<40+guest, uint64(i)*4096); err != nil {
			t.Fatal(err)
		}
	}
	b[4095], b[4096] = 1, 2
	parts, ok := m.guest(nil, 8191, 2)
	if !ok || len(parts) != 2 || parts[0][0] != 1 || parts[1][0] != 2 {
		t.Errorf("across a border: %v, %v", parts, ok)
	}
	if _, ok := m.guest(nil, 12287, 2); ok {
		t.Error("across a hole")
	}
	if got := m.front(1<<40+1<<32, 4096); len(got) != 4096 || &got[0] == &b[8192] {
		t.Errorf("%d bytes at the front-end's address", len(got))
	}
	if m.front(1<<40+8191, 2) != nil {
		t.Error("a ring in two pieces")
	}
}

// FuzzRings has a device work on rings and descriptors of any contents.
func FuzzRings(f *testing.F) {
	desc := make([]byte, 64)
	putDesc(desc, 0, guestBase+slotsAt, 8, descNext, 1)
	putDesc(desc, 1, guestBase+slotsAt+halfSlot, 8, descWrite, 0)
	f.Add(desc, []byte{0, 0, 1, 0, 0, 0})
	f.Add(desc, []byte{0, 0, 40, 0, 1, 0, 0, 0, 2, 0})
	f.Fuzz(func(t *testing.T, desc, avail []byte) {
		conn, ended := served(t, &echo{}, func(string, ...any) {})
		front := connect(t, conn)
		q := front.queues[1]
		copy(q.desc[:ringBytes], desc)
		copy(q.avail[:ringBytes], avail)
		signal(q.kick)
		front.ask(getVringBase, 1)
		conn.Close()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzMessages has a device read anything from the front-end.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{getFeatures, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{setVringNum, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 64, 0, 0, 0})
	f.Add([]byte{setVringEnable, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, getVringBase, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		conn, ended := served(t, &echo{}, func(string, ...any) {})
		go io.Copy(io.Discard, conn)
		conn.Write(b)
		conn.CloseWrite()
		if err := <-ended; errors.Is(err, io.EOF) {
			t.Fatal("an end within a message passes for one between two")
		}
	})
}
