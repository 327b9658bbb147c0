package virtionet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// kinds are sets of features of devices as they are.
var kinds = map[string]uint64{
	"bare":      featureMAC,
	"user":      featureMAC | featureMrgRxBuf | featureStatus | featureCtrlVQ | featureCtrlRx | virtio.FeatureEventIdx | virtio.FeatureIndirectDesc,
	"tap":       everything,
	"no event":  everything &^ virtio.FeatureEventIdx,
	"in line":   everything &^ virtio.FeatureIndirectDesc,
	"unmerged":  everything &^ featureMrgRxBuf,
	"no status": everything &^ featureStatus,
}

// Frames of all lengths arrive whole and in order, over all kinds of devices, however
// the device spreads them over buffers.
func TestReceive(t *testing.T) {
	for name, offered := range kinds {
		t.Run(name, func(t *testing.T) {
			d := newDevice(offered, 1)
			n, s := open(t, d)
			lengths := []int{14, 15, 60, 511, 512, 513, 1024, 1025, 1514}
			if n.Offloads().ReceiveGSO {
				lengths = append(lengths, 4084, 4085, 9000, 32768, nic.MaxFrame)
			}
			bytesIn := 0
			for round := range 30 {
				for i, length := range lengths {
					want := pattern(length, round+i)
					most := 1 << 20
					if offered&featureMrgRxBuf != 0 && round == 1 && length > 1000 {
						most = length/3 + 20
					}
					d.deliver(0, header{}, want, most)
					got := next(t, "a frame", s.got)
					if got.queue != 0 || !bytes.Equal(got.data, want) || got.Offload != (nic.Offload{}) {
						t.Fatalf("round %d: a frame of %d bytes arrives as %d, %+v", round, length, len(got.data), got.Offload)
					}
					bytesIn += length
				}
			}
			want := nic.Stats{RxFrames: uint64(30 * len(lengths)), RxBytes: uint64(bytesIn)}
			if got := n.Stats(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// What comes while the stack is at work costs one interrupt, and a notification for
// each batch.
func TestReceiveBurst(t *testing.T) {
	d := newDevice(kinds["user"], 1)
	n, s := open(t, d)
	s.block = make(chan struct{})
	d.deliver(0, header{}, pattern(60, 0), 1<<20)
	<-s.block
	notified, raised := d.Notifications(0), d.Interrupts(0)
	const burst = 200
	for i := range burst {
		d.deliver(0, header{}, pattern(60+i, i), 1<<20)
	}
	<-s.block
	next(t, "the first frame", s.got)
	for i := range burst {
		if got := next(t, "a frame", s.got); !bytes.Equal(got.data, pattern(60+i, i)) {
			t.Fatalf("frame %d is not what was sent", i)
		}
	}
	if k := d.Notifications(0) - notified; k > burst/receiveBatch+2 {
		t.Errorf("%d notifications for %d frames", k, burst)
	}
	if k := d.Interrupts(0) - raised; k > 1 {
		t.Errorf("%d interrupts for %d frames", k, burst)
	}
	// Small frames do not hold the buffers that they came in.
	if small := int64(smallBuffer / copyShare); n.rx[0].size != smallBuffer || s.largest.Load() != smallBuffer || small < 60+burst {
		t.Errorf("buffers of %d bytes, %d", n.rx[0].size, s.largest.Load())
	}
	if k := s.made.Load(); k > int64(n.rx[0].most) {
		t.Errorf("%d large buffers were made for small frames, the queue has %d", k, n.rx[0].most)
	}
}

// Frames are sent with their headers, a batch with one notification, and each owner is
// told once, also where nothing happens after it.
func TestSend(t *testing.T) {
	for name, offered := range kinds {
		t.Run(name, func(t *testing.T) {
			d := newDevice(offered, 1)
			d.hold = true
			n, _ := open(t, d)
			var frames []nic.Frame
			for i, length := range []int{14, 15, 60, 1000, 1514} {
				frames = append(frames, frame(pattern(length, i), nic.Offload{}))
			}
			before := d.Notifications(1)
			if k, err := n.Send(0, frames); k != len(frames) || err != nil {
				t.Fatalf("sent %d, %v", k, err)
			}
			if k := d.Notifications(1) - before; k != 1 {
				t.Errorf("%d notifications for a batch", k)
			}
			bytesOut := 0
			for i, f := range frames {
				got := next(t, "a frame", d.sent)
				if got.queue != 1 || got.header != (header{}) || !bytes.Equal(got.data, bytes.Join(f.Data, nil)) {
					t.Errorf("frame %d is sent as %+v", i, got)
				}
				if told(f) != 0 {
					t.Errorf("owner %d is told while the device reads", i)
				}
				bytesOut += f.Len()
			}
			d.let()
			for i, f := range frames {
				eventually(t, "the end of a frame", func() bool { return told(f) > 0 })
				if told(f) != 1 {
					t.Errorf("owner %d is told %d times", i, told(f))
				}
			}
			if got, want := n.Stats(), (nic.Stats{TxFrames: 5, TxBytes: uint64(bytesOut)}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// Offloads go over as the device's header says them, field by field, in both
// directions.
func TestOffloads(t *testing.T) {
	tests := []struct {
		name   string
		length int
		o      nic.Offload
		h      header
		only   string // a direction
	}{
		{"none", 100, nic.Offload{}, header{}, ""},
		{"checksum", 100, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6},
			header{flags: 1, csumStart: 34, csumOffset: 6}, ""},
		{"verified", 100, nic.Offload{ChecksumValid: true}, header{flags: 2}, "receive"},
		{"TCP over IPv4", 9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 66},
			header{flags: 1, gsoType: 1, hdrLen: 66, gsoSize: 1448, csumStart: 34, csumOffset: 16}, ""},
		{"TCP over IPv6", nic.MaxFrame, nic.Offload{NeedsChecksum: true, ChecksumStart: 54, ChecksumOffset: 16, GSO: nic.GSOTCPv6, GSOSize: 1428, GSOHeader: 86},
			header{flags: 1, gsoType: 4, hdrLen: 86, gsoSize: 1428, csumStart: 54, csumOffset: 16}, ""},
		{"with ECN", 9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 66, ECN: true},
			header{flags: 1, gsoType: 0x81, hdrLen: 66, gsoSize: 1448, csumStart: 34, csumOffset: 16}, ""},
		{"UDP", 9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6, GSO: nic.GSOUDP, GSOSize: 1400, GSOHeader: 42},
			header{flags: 1, gsoType: 5, hdrLen: 42, gsoSize: 1400, csumStart: 34, csumOffset: 6}, "send"},
		{"put together by the device and verified", 9000, nic.Offload{ChecksumValid: true, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 66},
			header{flags: 2, gsoType: 1, hdrLen: 66, gsoSize: 1448}, "receive"},
	}
	d := newDevice(everything, 1)
	n, s := open(t, d)
	if o := n.Offloads(); o != (nic.Offloads{Checksum: true, TSO4: true, TSO6: true, USO: true, ECN: true, ReceiveChecksum: true, ReceiveGSO: true}) {
		t.Errorf("offloads of a device that offers all: %+v", o)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := pattern(tt.length, 1)
			if tt.only != "receive" {
				if k, err := n.Send(0, []nic.Frame{frame(b, tt.o)}); k != 1 || err != nil {
					t.Fatalf("sent %d, %v", k, err)
				}
				if got := next(t, "a frame", d.sent); got.header != tt.h || !bytes.Equal(got.data, b) {
					t.Errorf("sent with %+v, want %+v; or other bytes", got.header, tt.h)
				}
			}
			if tt.only != "send" {
				d.deliver(0, tt.h, b, 1<<20)
				if got := next(t, "a frame", s.got); got.Offload != tt.o || !bytes.Equal(got.data, b) {
					t.Errorf("received as %+v, want %+v; or other bytes", got.Offload, tt.o)
				}
			}
		})
	}
}

// What a device cannot send is taken, counted and dropped, and never reaches it.
func TestUnsendable(t *testing.T) {
	d := newDevice(everything&^(featureHostTSO6|featureHostUSO), 1)
	n, _ := open(t, d)
	good := nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 54}
	six, udp := good, good
	six.GSO, udp.GSO = nic.GSOTCPv6, nic.GSOUDP
	frames := []nic.Frame{
		frame(pattern(1515, 0), nic.Offload{}),
		frame(pattern(13, 0), nic.Offload{}),
		frame(pattern(9000, 0), six),
		frame(pattern(9000, 0), udp),
		frame(pattern(nic.MaxFrame+1, 0), good),
		frame(pattern(9000, 1), good),
	}
	for range 60 { // more than one batch of them
		frames = append(frames, frame(pattern(2000, 0), nic.Offload{}))
	}
	if k, err := n.Send(0, frames); k != len(frames) || err != nil {
		t.Fatalf("sent %d, %v", k, err)
	}
	if got := next(t, "the good frame", d.sent); !bytes.Equal(got.data, pattern(9000, 1)) {
		t.Errorf("%d bytes are sent", len(got.data))
	}
	for i, f := range frames {
		eventually(t, "the end of a frame", func() bool { return told(f) == 1 })
		_ = i
	}
	if len(d.sent) != 0 {
		t.Error("bad frames reach the device")
	}
	if st := n.Stats(); st.TxErrors != uint64(len(frames)-1) || st.TxFrames != 1 {
		t.Errorf("%+v", st)
	}
}

// A full queue takes what it has room for and then says when it has room again.
func TestFull(t *testing.T) {
	for name, offered := range kinds {
		t.Run(name, func(t *testing.T) {
			d := newDevice(offered, 1)
			d.hold = true
			n, _ := open(t, d)
			var frames []nic.Frame
			for i := range 1000 {
				frames = append(frames, frame(pattern(100, i), nic.Offload{}))
			}
			k, err := n.Send(0, frames)
			if k == 0 || k > 256 || err != nil {
				t.Fatalf("a queue of 256 takes %d, %v", k, err)
			}
			if again, err := n.Send(0, frames[k:]); again != 0 || err != nil {
				t.Fatalf("a full queue takes %d, %v", again, err)
			}
			select {
			case <-n.Room(0):
				t.Fatal("a full queue says that it has room")
			case <-time.After(5 * time.Millisecond):
			}
			d.let()
			for k < len(frames) {
				next(t, "room", n.Room(0))
				more, err := n.Send(0, frames[k:])
				if err != nil {
					t.Fatal(err)
				}
				k += more
			}
			for i := range frames {
				if got := next(t, "a frame", d.sent); !bytes.Equal(got.data, pattern(100, i)) {
					t.Fatalf("frame %d is not what was sent", i)
				}
			}
			for _, f := range frames {
				eventually(t, "the end of a frame", func() bool { return told(f) == 1 })
			}
		})
	}
}

// A device that uses nothing costs no more than what it holds, whatever is asked of
// it, and all comes back when it is closed.
func TestSilent(t *testing.T) {
	d := newDevice(everything, 1)
	d.Serve = nil
	timeout := controlTimeout
	controlTimeout = 20 * time.Millisecond
	defer func() { controlTimeout = timeout }()
	n, s := open(t, d)
	frames := make([]nic.Frame, 300)
	for i := range frames {
		frames[i] = frame(pattern(100, i), nic.Offload{})
	}
	k, err := n.Send(0, frames)
	if k != 256 || err != nil {
		t.Errorf("sent %d, %v", k, err)
	}
	for range 3 {
		if err := n.SetFilter(nic.Filter{}); err == nil || !strings.Contains(err.Error(), "is not answered") {
			t.Errorf("a command to a silent device: %v", err)
		}
	}
	d.ChangeConfig(func(c []byte) { c[configStatus] |= statusAnnounce })
	d.Interrupt(virtio.ConfigInterrupt)
	next(t, "the announcement", s.announce)
	closed(t, n, d, s)
	for i, f := range frames {
		if want := map[bool]int{true: 1}[i < k]; told(f) != want {
			t.Errorf("owner %d is told %d times, want %d", i, told(f), want)
		}
	}
	if _, err := n.Send(0, frames[k:]); err == nil {
		t.Error("a closed device sends")
	}
	for _, f := range frames[k:] {
		if told(f) != 1 {
			t.Error("a frame for a closed device is kept")
		}
	}
}

// The link and requests to announce, as often as they change: the stack learns the
// latest, and the device that it was done.
func TestLink(t *testing.T) {
	d := newDevice(everything, 1)
	n, s := open(t, d)
	set := func(status byte) {
		d.ChangeConfig(func(c []byte) { c[configStatus] = status })
		d.Interrupt(virtio.ConfigInterrupt)
	}
	if !n.Link() {
		t.Error("the link is down")
	}
	set(0)
	if up := next(t, "the change", s.links); up || n.Link() {
		t.Error("the link is up")
	}
	set(statusLinkUp)
	if up := next(t, "the change", s.links); !up || !n.Link() {
		t.Error("the link is down")
	}
	set(statusLinkUp | statusAnnounce)
	next(t, "the announcement", s.announce)
	eventually(t, "the acknowledgement", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.ContainsFunc(d.commands, func(c []byte) bool { return bytes.Equal(c, commandAnnounce[:]) })
	})
	for i := range 2000 {
		set(byte(i % 2)) // ends with up
	}
	eventually(t, "the link", n.Link)
	last := true
	for {
		select {
		case last = <-s.links:
			continue
		case <-time.After(20 * time.Millisecond):
		}
		break
	}
	if !last {
		t.Error("the stack believes that the link is down")
	}
	d.NeedReset()
	if up := next(t, "the end", s.links); up || n.Link() {
		t.Error("the link of a failed device is up")
	}
}

// Without VIRTIO_NET_F_STATUS the link is always up (§5.1.4.2).
func TestNoStatus(t *testing.T) {
	d := newDevice(featureMAC, 1)
	d.ConfigSpace[configStatus] = 0
	if n, _ := open(t, d); !n.Link() {
		t.Error("the link is down")
	}
}

// The filter as the device is told it.
func TestFilter(t *testing.T) {
	d := newDevice(everything, 1)
	n, _ := open(t, d)
	a, b, g := nic.Address{2, 1, 1, 1, 1, 1}, nic.Address{2, 2, 2, 2, 2, 2}, nic.Address{1, 0, 0x5e, 0, 0, 1}
	many := func(first byte, n int) (list []nic.Address) {
		for i := range n {
			list = append(list, nic.Address{first, 0, 0, 0, 0, byte(i)})
		}
		return list
	}
	table := func(list ...any) []byte {
		b := []byte{1, 0}
		for _, v := range list {
			switch v := v.(type) {
			case int:
				b = binary.LittleEndian.AppendUint32(b, uint32(v))
			case nic.Address:
				b = append(b, v[:]...)
			}
		}
		return b
	}
	tests := []struct {
		f    nic.Filter
		want [][]byte
	}{
		{nic.Filter{}, [][]byte{table(0, 0), {0, 1, 0}, {0, 0, 0}}},
		{nic.Filter{Promiscuous: true}, [][]byte{table(0, 0), {0, 1, 0}, {0, 0, 1}}},
		{nic.Filter{AllMulticast: true}, [][]byte{table(0, 0), {0, 1, 1}, {0, 0, 0}}},
		{nic.Filter{Addresses: []nic.Address{a, g, b}}, [][]byte{table(2, a, b, 1, g), {0, 1, 0}, {0, 0, 0}}},
		{nic.Filter{Addresses: many(1, 65)}, [][]byte{table(0, 0), {0, 1, 1}, {0, 0, 0}}},
		{nic.Filter{Addresses: many(2, 65)}, [][]byte{table(0, 0), {0, 1, 0}, {0, 0, 1}}},
	}
	for _, tt := range tests {
		d.commands = nil
		if err := n.SetFilter(tt.f); err != nil {
			t.Error(err)
		}
		if !slices.EqualFunc(d.commands, tt.want, bytes.Equal) {
			t.Errorf("%+v: %x, want %x", tt.f, d.commands, tt.want)
		}
	}
	for _, status := range []byte{1, 2, 0xff} {
		d.answer = func(_ []byte, c *virtiotest.Chain) { c.Put(0, []byte{status}); c.Done(1) }
		if err := n.SetFilter(nic.Filter{}); err == nil {
			t.Errorf("status %d is success", status)
		}
	}
	d.answer = func(_ []byte, c *virtiotest.Chain) { c.Done(0) }
	if err := n.SetFilter(nic.Filter{}); err == nil {
		t.Error("no status is success")
	}
	d.answer = nil
	if err := n.SetFilter(nic.Filter{}); err != nil {
		t.Error(err)
	}
}

// Several queue pairs: one for each CPU, told to the device, and each for itself.
func TestQueues(t *testing.T) {
	cpus(t, 2)
	d := newDevice(everything, 2)
	n, s := open(t, d)
	if n.Queues() != 2 || !slices.EqualFunc(d.commands, [][]byte{{4, 0, 2, 0}}, bytes.Equal) {
		t.Fatalf("%d queues, commands %x", n.Queues(), d.commands)
	}
	for i := range 2 {
		if k, err := n.Send(i, []nic.Frame{frame(pattern(100, i), nic.Offload{})}); k != 1 || err != nil {
			t.Fatal(k, err)
		}
		if got := next(t, "a frame", d.sent); got.queue != 2*i+1 {
			t.Errorf("queue %d of the device sends", got.queue)
		}
		d.deliver(2*i, header{}, pattern(100, i), 1<<20)
		if got := next(t, "a frame", s.got); got.queue != i || !bytes.Equal(got.data, pattern(100, i)) {
			t.Errorf("received at %d", got.queue)
		}
	}

	// A device that will not: one pair is left.
	d = newDevice(everything, 2)
	d.answer = func(_ []byte, c *virtiotest.Chain) { c.Put(0, []byte{1}); c.Done(1) }
	if n, _ = open(t, d); n.Queues() != 1 {
		t.Errorf("%d queues of a device that refuses", n.Queues())
	}
}

func TestChoose(t *testing.T) {
	tests := []struct {
		name                 string
		offered, without     uint64
		receiveGSO, checksum bool
	}{
		{"all", features, 0, true, true},
		{"no merged buffers", features &^ featureMrgRxBuf, guestGSO, false, true},
		{"no checksum of received", features &^ featureGuestCsum, guestGSO, false, true},
		{"no checksum", features &^ featureCsum, hostGSO, true, false},
		{"no segmentation", features &^ (featureHostTSO4 | featureHostTSO6), featureHostECN, true, true},
		{"nothing put together", features &^ (featureGuestTSO4 | featureGuestTSO6), featureGuestECN, false, true},
		{"no control", features &^ featureCtrlVQ, featureCtrlRx | featureGuestAnnounce | featureMQ, true, true},
		{"no status", features &^ featureStatus, featureGuestAnnounce, true, true},
		{"nothing", 0, 0, false, false},
	}
	for _, tt := range tests {
		if got, want := choose(tt.offered), tt.offered&^tt.without; got != want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, want)
		}
	}
}

// A configuration that cannot be is an error that names the field, and leaves nothing
// behind.
func TestBadConfig(t *testing.T) {
	tests := []struct {
		name, want string
		change     func(d *device)
	}{
		{"a group's address", "mac", func(d *device) { d.ConfigSpace[0] |= 1 }},
		{"no address", "mac", func(d *device) { clear(d.ConfigSpace[:6]) }},
		{"a small MTU", "mtu", func(d *device) { binary.LittleEndian.PutUint16(d.ConfigSpace[configMTU:], 67) }},
		{"no queues", "max_virtqueue_pairs", func(d *device) { d.ConfigSpace[configMaxPairs] = 0 }},
		{"too many queues", "max_virtqueue_pairs", func(d *device) { d.ConfigSpace[configMaxPairs+1] = 0xff }},
		{"more queues than there are", "there is no queue", func(d *device) { d.ConfigSpace[configMaxPairs] = 9 }},
		{"a configuration that never stands still", "config generation", func(d *device) {
			d.OnConfigRead = func(int) { d.ChangeConfig(func([]byte) {}) }
		}},
		{"another device", "device ID", func(d *device) { d.ID = virtio.DeviceConsole }},
		{"refused features", "FEATURES_OK", func(d *device) { d.RefuseFeatures = true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDevice(everything, 1)
			tt.change(d)
			n, err := Open(d, d.mem, nil)
			if err == nil {
				n.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), d.Name()) {
				t.Errorf("%v, want one about %q of %s", err, tt.want, d.Name())
			}
			if s := d.mem.Stats(); s.InUse != 0 {
				t.Errorf("memory: %+v", s)
			}
		})
	}
}

// The MTU, and an address where the device has none.
func TestConfig(t *testing.T) {
	for _, mtu := range []int{68, 1500, 9000, 65000, 65535} {
		for _, offered := range []uint64{everything, everything &^ featureMrgRxBuf} {
			t.Run(fmt.Sprintf("%d, %#x", mtu, offered), func(t *testing.T) {
				d := newDevice(offered, 1)
				binary.LittleEndian.PutUint16(d.ConfigSpace[configMTU:], uint16(mtu))
				n, s := open(t, d)
				if n.MTU() != mtu || n.Address() != address {
					t.Errorf("MTU %d, address %v", n.MTU(), n.Address())
				}
				b := pattern(mtu+nic.HeaderLen, 3)
				d.deliver(0, header{}, b, 1<<20)
				if got := next(t, "a frame", s.got); !bytes.Equal(got.data, b) {
					t.Errorf("%d bytes arrive", len(got.data))
				}
				if k, err := n.Send(0, []nic.Frame{frame(b, nic.Offload{})}); k != 1 || err != nil {
					t.Error(k, err)
				}
				if got := next(t, "a frame", d.sent); !bytes.Equal(got.data, b) {
					t.Errorf("%d bytes are sent", len(got.data))
				}
			})
		}
	}
	d := newDevice(0, 1)
	n, _ := open(t, d)
	if a := n.Address(); a.Multicast() || a[0]&2 == 0 || n.MTU() != 1500 {
		t.Errorf("address %v, MTU %d", a, n.MTU())
	}
}
