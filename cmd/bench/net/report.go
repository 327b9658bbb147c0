package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/page"
	"github.com/yolkos/yolk/qemu"
)

// row is a line of the table.
type row struct {
	name, title, unit string
	more              bool // more is better
}

// table has the rows in the order of the report.
var table = func() (list []row) {
	add := func(name, title, unit string, more bool) { list = append(list, row{name, title, unit, more}) }
	add("first", "from the start of QEMU's processes to the first byte served", "ms", false)
	for _, n := range []string{"1", "16", "256"} {
		what := "HTTP, keep-alive, connections: " + n
		add("http-"+n, what, "requests/s", true)
		add("http-"+n+"-p50", what+", half within", "µs", false)
		add("http-"+n+"-p99", what+", 99 % within", "µs", false)
		add("http-"+n+"-cpu", what+", CPU", "µs each", false)
	}
	add("connect", "HTTP, a new connection for each, 16 at once", "requests/s", true)
	add("connect-p99", "the same, 99 % within", "µs", false)
	add("connect-cpu", "the same, CPU", "µs each", false)
	bulk := func(name, after string) {
		for _, way := range [][2]string{{"down", "from the guest"}, {"up", "to the guest"}} {
			row := strings.Replace(name, "WAY", way[0], 1)
			add(row, way[1]+after, "MB/s", true)
			add(row+"-cpu", "the same, CPU", "µs/MB", false)
		}
	}
	bulk("WAY-1", ", streams: 1")
	bulk("WAY-8", ", streams: 8")
	bulk("mtu-WAY-1", fmt.Sprintf(", streams: 1, frames of %d bytes", ethernetMTU))
	add("handshakes", "TLS handshakes, one after the other", "each second", true)
	add("handshakes-cpu", "the same, CPU", "µs each", false)
	bulk("tls-WAY-1", " by TLS, streams: 1")
	add("udp", "UDP, one after the other", "round trips/s", true)
	add("udp-cpu", "the same, CPU", "µs each", false)
	add("loopback", "HTTP in the guest, one connection", "requests/s", true)
	add("loopback-cpu", "the same, CPU", "µs each", false)
	add("ram", "RAM that QEMU took of the host at most, of all that", "MB", false)
	add("image", "what is booted: Linux's kernel and the program; Yolk's image", "MB", false)
	return list
}()

type key struct {
	machine qemu.Machine
	system  string
	row     string
}

// results are all values.
type results struct {
	about    string
	load     string // of the host, before
	rounds   int
	machines []qemu.Machine
	values   map[key][]float64
}

func (r *results) add(m qemu.Machine, system, row string, v float64) {
	k := key{m, system, row}
	r.values[k] = append(r.values[k], v)
}

// value is the median; NaN without any.
func (r *results) value(m qemu.Machine, system, row string) float64 {
	list := slices.Sorted(slices.Values(r.values[key{m, system, row}]))
	if len(list) == 0 {
		return math.NaN()
	}
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// goal is how many times as good as Linux a row is to be, or its CPU.
const goal = 2

// section is the section of the page.
func (r *results) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, `%s
The same web server, `+"`cmd/bench/net/serve`"+`, in a Linux guest whose process 1 it is, and in Yolk: the same QEMU with one CPU
and %d MiB, the same network (`+"`--net user`"+`, frames of up to 65000 bytes), and the client on the host, which has the same
processors as QEMU. They take turns; each value is the median of %d boots. %s. CPU is that of all
processes that a guest has: QEMU, the network's, the file server; it depends less than the rates on what else the host does,
whose load average was %s when this began. "Times Linux": more than 1 is better, bold is %d and
more. `+"`make bench-net`"+` makes this section.
`, page.Network, guestMemory>>20, r.rounds, r.about, r.load, goal)
	b.WriteString("\n| | unit |")
	for _, m := range r.machines {
		fmt.Fprintf(&b, " %s: Linux | Yolk | times Linux |", m)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("--:|--:|--:|", len(r.machines)) + "\n")
	for _, row := range table {
		fmt.Fprintf(&b, "| %s | %s |", row.title, row.unit)
		for _, m := range r.machines {
			l, y := r.value(m, linux, row.name), r.value(m, yolk, row.name)
			ratio := l / y
			if row.more {
				ratio = y / l
			}
			text := number(ratio)
			if ratio >= goal {
				text = "**" + text + "**"
			}
			fmt.Fprintf(&b, " %s | %s | %s |", number(l), number(y), text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// number writes three digits that count.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(v)))), v)
}

// publish writes the section into a page, or to standard output.
func (r *results) publish(file string) error {
	if file == "" {
		fmt.Print(r.section())
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, _ := page.Split(string(old), page.Network)
	return os.WriteFile(file, []byte(strings.TrimRight(before, "\n")+"\n\n"+r.section()), 0o644)
}
