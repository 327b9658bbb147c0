// Command net measures a server in a Linux guest and in Yolk over the same network, in
// turns, and writes its section of docs/benchmarks.md. It is run from the top directory
// of the module.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/load"
	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/usernet"
)

const (
	program     = "serve"
	guestMemory = 512 << 20 // bytes
	guestTime   = 5 * time.Minute
	ethernetMTU = 1500 // bytes
)

type options struct {
	rounds   int
	machines []qemu.Machine
	yolk     string
	page     string
	time     time.Duration // for each row
	verbose  bool
}

func main() {
	var o options
	machines := ""
	flag.IntVar(&o.rounds, "rounds", 3, "how often everything is measured")
	flag.StringVar(&machines, "machines", "microvm,q35", "machine types, separated by commas")
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "the page whose section is written, docs/benchmarks.md; standard output without it")
	flag.DurationVar(&o.time, "time", 2*time.Second, "how long each row is measured")
	flag.BoolVar(&o.verbose, "v", false, "show the commands that are run, and each result")
	flag.Parse()
	for m := range strings.SplitSeq(machines, ",") {
		o.machines = append(o.machines, qemu.Machine(m))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "net:", err)
		os.Exit(1)
	}
}

// Systems, as they are told apart in results.
const (
	linux = "linux"
	yolk  = "yolk"
)

func run(ctx context.Context, o *options) error {
	l, err := lab.New("net", o.verbose)
	if err != nil {
		return err
	}
	defer l.Close()
	l.Yolk = o.yolk
	if l.Accel, _, err = qemu.ChooseAccel(ctx, qemu.Auto, o.machines[0], l.Trace); err != nil {
		return err
	}
	if err := l.FetchLinux(ctx); err != nil {
		return err
	}
	if err := l.Build(ctx, o.yolk, program, "./cmd/bench/net/serve"); err != nil {
		return err
	}
	r := &results{about: fmt.Sprintf("QEMU's acceleration was %s, and Linux %s", l.Accel, l.Linux.Version), rounds: o.rounds, machines: o.machines, values: map[key][]float64{}}
	average, _ := os.ReadFile("/proc/loadavg")
	r.load, _, _ = strings.Cut(string(average), " ")
	for round := range o.rounds {
		for _, m := range o.machines {
			for _, mtu := range []int{usernet.MaxMTU, ethernetMTU} {
				for _, system := range []string{linux, yolk} {
					fmt.Fprintf(os.Stderr, "net: round %d, %s on %s, MTU %d\n", round+1, system, m, mtu)
					if err := measure(ctx, o, l, r, m, system, mtu); err != nil {
						return fmt.Errorf("%s on %s, MTU %d: %w", system, m, mtu, err)
					}
				}
			}
		}
	}
	return r.publish(o.page)
}

// measure boots a system and measures all rows that there are at an MTU.
func measure(ctx context.Context, o *options, l *lab.Lab, r *results, m qemu.Machine, system string, mtu int) error {
	n, err := network(mtu)
	if err != nil {
		return err
	}
	s := &lab.System{Machine: m, Network: n}
	if system == linux {
		s.Cache = qemu.CacheNone
	}
	port := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", n.User.Forwards[i].Host) }
	host := port(0)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	last := ""
	begin := time.Now()
	go func() {
		ended <- l.Run(ctx, s, program, guestMemory, guestTime, nil, func(line string) { last = line })
	}()
	for {
		client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		if response, err := client.Get("http://" + host + "/"); err == nil {
			response.Body.Close()
			break
		}
		select {
		case err := <-ended:
			return fmt.Errorf("ended early, after %q: %w", last, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	add := func(row string, v float64) {
		if o.verbose {
			fmt.Fprintf(os.Stderr, "net: %s %s %s %.4g\n", m, system, row, v)
		}
		r.add(m, system, row, v)
	}
	first := time.Since(begin)
	w := &work{host: host, udp: port(1), tls: port(2), time: o.time, add: add}
	if mtu == ethernetMTU {
		err = w.frames()
	} else {
		add("first", micros(first)/1e3)
		if err = w.all(ctx); err == nil {
			err = sizes(l, system, add)
		}
	}
	if err != nil {
		return err
	}
	_, _ = (&http.Client{Timeout: 5 * time.Second}).Get("http://" + host + "/exit") // there is no answer
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		cancel()
		<-ended
	}
	return nil
}

// sizes adds what a guest that has served all rows took, and what it was booted from, in MB.
func sizes(l *lab.Lab, system string, add func(row string, v float64)) error {
	add("ram", float64(load.LargestChild())/1e6)
	files := []string{l.Image(program)}
	if system == linux {
		files = []string{l.Linux.Kernel, filepath.Join(l.Dir, program)}
	}
	var bytes int64
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return err
		}
		bytes += st.Size()
	}
	add("image", float64(bytes)/1e6)
	return nil
}

// network is one with forwards to the server.
func network(mtu int) (qemu.Network, error) {
	n := qemu.Network{Backend: qemu.UserNetwork, User: usernet.Default()}
	n.User.MTU = mtu
	n.MAC = n.User.GuestMAC
	n.Addresses = append(n.Addresses, n.User.Guest4)
	n.Routers = append(n.Routers, n.User.Router4)
	for _, text := range []string{"127.0.0.1:0:80", "127.0.0.1:0:81/udp", "127.0.0.1:0:443"} {
		f, err := usernet.ParseForward(text)
		if err != nil {
			return n, err
		}
		socket, err := f.Listen()
		if err != nil {
			return n, err
		}
		n.User.Forwards = append(n.User.Forwards, f)
		n.Sockets = append(n.Sockets, socket)
	}
	return n, nil
}
