package inspect

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// files are a guest that has these.
type files map[string]string

func (f files) ReadProc(_ context.Context, name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, syscall.ENOENT)
	}
	return []byte(text), nil
}

var q35 = files{
	"cpuinfo": "processor\t: 0\nmodel name\t: A & B <CPU>\ncpu MHz\t\t: 2596.123\n\nprocessor\t: 1\nmodel name\t: A & B <CPU>\n",
	"iomem": "00100000-001fffff : Boot area\n00200000-0fbfcfff : System RAM\n  00200000-0077ffff : Kernel code\n" +
		"  00e5d000-00efcfff : Kernel data\nfee00000-fee00fff : Local APIC\nnonsense\n5-4 : wrong\n",
	"yolk/pci": "00:00.0 Host bridge [0600]: Intel\n",
	"yolk/devices": "  id 5\nvirtio-pci 00:04.0\n  id 26\n  use share root\x1b[31m\n  offered 130000000\n  accepted 130000000\n  queue 1 1024 request 0\n  queue 0 64 high priority\n  queue x\n" +
		"virtio-pci 00:03.0\n  id 1\n  use network eth0\n  offered 10130bf802c\n  accepted 130278028\n  queue 2 16 control\n" +
		"virtio-pci 00:05.0\n  id 18\n  offered 1\n",
	"self/mounts": "root / virtiofs rw 0 0\ntmpfs /a\\040b tmpfs rw 0 0\nshort\n",
}

func TestRead(t *testing.T) {
	m, err := Read(t.Context(), q35)
	if err != nil {
		t.Fatal(err)
	}
	if m.CPUs != 2 || m.CPU != "A & B <CPU>" || m.MHz != "2596" || len(m.PCI) != 1 {
		t.Errorf("processors %d %q %q, PCI %q", m.CPUs, m.CPU, m.MHz, m.PCI)
	}
	if want := (Region{0x200000, 0x780000, "Kernel code", 1}); len(m.Memory) != 5 || m.Memory[2] != want {
		t.Errorf("memory %+v", m.Memory)
	}
	if len(m.Devices) != 3 || m.Devices[0].ID != 1 || m.Devices[2].Driven {
		t.Fatalf("devices %+v", m.Devices)
	}
	want := Device{
		Name: "virtio-pci 00:04.0", ID: 26, Use: "share root?[31m", Offered: 0x130000000, Accepted: 0x130000000, Driven: true,
		Queues: []Queue{{0, 64, "high priority"}, {1, 1024, "request 0"}},
	}
	if !reflect.DeepEqual(m.Devices[1], want) {
		t.Errorf("got %+v, want %+v", m.Devices[1], want)
	}
	if want := []Mount{{"root", "/", "virtiofs", "rw"}, {"tmpfs", "/a b", "tmpfs", "rw"}}; !reflect.DeepEqual(m.Mounts, want) {
		t.Errorf("mounts %+v", m.Mounts)
	}
	if _, err := Read(t.Context(), broken{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("a guest that answers nothing: %v", err)
	}
}

type broken struct{}

func (broken) ReadProc(context.Context, string) ([]byte, error) { return nil, syscall.EIO }

func TestText(t *testing.T) {
	m, err := Read(t.Context(), q35)
	if err != nil {
		t.Fatal(err)
	}
	m.Title = "hello on a q35"
	var b bytes.Buffer
	if err := m.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `hello on a q35
├─ processors: 2
│  └─ A & B <CPU>, 2596 MHz
├─ memory map
│  ├─ 00100000-001fffff  Boot area, 1 MiB
│  ├─ 00200000-0fbfcfff  System RAM, 250 MiB
│  │  ├─ 00200000-0077ffff  Kernel code, 5.5 MiB
│  │  └─ 00e5d000-00efcfff  Kernel data, 640 KiB
│  └─ fee00000-fee00fff  Local APIC, 4 KiB
├─ PCI functions
│  └─ 00:00.0 Host bridge [0600]: Intel
├─ virtio devices
│  ├─ virtio-pci 00:03.0: network card (device type 1)
│  │  ├─ used for: network eth0
│  │  ├─ accepted: NET_F_MTU NET_F_MAC NET_F_MRG_RXBUF NET_F_STATUS NET_F_CTRL_VQ NET_F_CTRL_RX
│  │  │            NET_F_GUEST_ANNOUNCE F_INDIRECT_DESC F_EVENT_IDX F_VERSION_1
│  │  ├─ offered only: NET_F_CTRL_GUEST_OFFLOADS NET_F_CTRL_VLAN NET_F_CTRL_RX_EXTRA
│  │  │                NET_F_CTRL_MAC_ADDR F_RING_RESET
│  │  └─ queues: 1
│  │     └─ 2: control, 16 descriptors
│  ├─ virtio-pci 00:04.0: file system device (device type 26)
│  │  ├─ used for: share root?[31m
│  │  ├─ accepted: F_INDIRECT_DESC F_EVENT_IDX F_VERSION_1
│  │  ├─ offered only: none
│  │  └─ queues: 2
│  │     ├─ 0: high priority, 64 descriptors
│  │     └─ 1: request 0, 1024 descriptors
│  └─ virtio-pci 00:05.0: input device (device type 18)
│     └─ no driver; offered: bit 0
└─ mounts
   ├─ /: virtiofs root (rw)
   └─ /a b: tmpfs tmpfs (rw)
`
	if b.String() != want {
		t.Errorf("got\n%s", &b)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 250 << 20: "250 MiB", 1<<64 - 1: "16777216 TiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// checkSVG reports what of a picture lies outside of it, and returns its words.
func checkSVG(t *testing.T, data []byte) (words string) {
	t.Helper()
	var width, height float64
	number := func(e xml.StartElement, name string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				n, _ := strconv.ParseFloat(a.Value, 64) // 100% is 0
				return n
			}
		}
		return 0
	}
	for in := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := in.Token()
		if err == io.EOF {
			return words
		}
		if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "svg" {
				width, height = number(e, "width"), number(e, "height")
			}
			if right, bottom := number(e, "x")+number(e, "width"), number(e, "y")+number(e, "height"); e.Name.Local != "svg" &&
				(right > width || bottom > height || number(e, "width") < 0 || number(e, "height") < 0) {
				t.Errorf("%v ends at %g, %g in a picture of %g x %g", e, right, bottom, width, height)
			}
		case xml.CharData:
			words += string(e) + " "
		}
	}
}

func TestSVG(t *testing.T) {
	m, err := Read(t.Context(), q35)
	if err != nil {
		t.Fatal(err)
	}
	m.Title = "hello on a <q35>"
	m.Mounts = append(m.Mounts, Mount{strings.Repeat("long", 100), strings.Repeat("/dir", 100), "tmpfs", "rw"})
	for range 20 {
		m.Devices = append(m.Devices, m.Devices[0])
	}
	var b bytes.Buffer
	if err := m.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	words := checkSVG(t, b.Bytes())
	for _, want := range []string{"hello on a <q35>", "Processors: 2", "Kernel code", "network card (1)", "NET_F_MRG_RXBUF", "F_RING_RESET", "2 control · 16", "no driver", "virtiofs", "5.5 MiB"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	b.Reset()
	if err := (&Machine{}).WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	checkSVG(t, b.Bytes())
}

// Whatever a guest says, what is made of it can be shown.
func FuzzInspect(f *testing.F) {
	busy := at("83", "1", "1000", "100")
	f.Add(q35["cpuinfo"], q35["iomem"], q35["yolk/devices"], q35["self/mounts"], busy["stat"], busy["interrupts"], busy["yolk/runtime"], busy["yolk/virtio"], 80)
	f.Add("", "0-ffffffffffffffff : all\n                          0-1 : deep", "x\n  queue 1 2 \xff", "a \\777\\04 b c d",
		"cpu0 1 2 3 99999999999999999999 1", ": : 5", "sys 18446744073709551615", "a\n  b.requests 18446744073709551615\n  \x1b[2Jb.inflight 1", 0)
	f.Fuzz(func(t *testing.T, cpuinfo, iomem, devices, mounts, stat, interrupts, runtime, virtio string, width int) {
		g := files{
			"cpuinfo": cpuinfo, "iomem": iomem, "yolk/devices": devices, "self/mounts": mounts,
			"uptime": stat, "stat": stat, "interrupts": interrupts, "yolk/runtime": runtime, "yolk/virtio": virtio, "yolk/fuse": virtio,
		}
		m, err := Read(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		control := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }
		if strings.ContainsFunc(b.String(), control) {
			t.Errorf("control characters in %q", &b)
		}
		b.Reset()
		if err := m.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		checkSVG(t, b.Bytes())
		s, err := Take(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		width %= 500
		later := *s
		later.Time = s.Time.Add(time.Second)
		for _, before := range []*Sample{nil, s} {
			for _, line := range View(About{Program: "x"}, before, &later, width) {
				if n := len([]rune(line)); n > max(width, 20) || strings.ContainsFunc(line, control) {
					t.Errorf("%q has %d characters, of %d", line, n, width)
				}
			}
		}
	})
}
