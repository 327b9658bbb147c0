package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/yolkos/yolk/kernel/logline"
)

// ErrTimeout is the error of a run that was ended at its time limit.
var ErrTimeout = errors.New("time limit reached")

// Run boots the guest and returns the exit status of its program. A guest that
// ends without telling one is an error. When Run returns, all that it has
// started has ended.
func Run(ctx context.Context, o *Options) (status int, err error) {
	defer o.Kernel.Close()
	defer o.Network.closeSockets()
	notes := newOutput(o.Notes)
	defer notes.close()
	terminal := findTerminal(o)
	defer terminal.restore()
	own := *o
	own.Notes = notes // that nobody reads them is no reason to end
	if lines := terminal.linesOf(o.Notes); lines != nil {
		own.Notes = brokenLines{lines, notes}
	}
	if o.JSON {
		own.Notes = JSONNotes(own.Notes, logline.Info)
	}
	own.Trace = terminal.breakLines(o.Trace)
	o = &own
	own.Shares = slices.Clone(o.Shares)
	for i, s := range own.Shares {
		if err := s.Check(); err != nil {
			return 0, err
		}
		if own.Shares[i], err = s.resolved(); err != nil {
			return 0, err
		}
	}
	if err := checkMemory(o.Kernel, o.Memory); err != nil {
		return 0, err
	}
	if err := checkFileSize(o.Memory); err != nil {
		return 0, err
	}
	path, err := FindQEMU()
	if err != nil {
		return 0, err
	}
	var srv server
	if len(o.Shares) > 0 {
		var note string
		if srv, note, err = chooseServer(o.Daemon); err != nil {
			return 0, err
		}
		if note != "" {
			fmt.Fprintf(o.Notes, "yolk: built-in virtio-fs server in use: %s\n", note)
		}
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, ErrTimeout)
		defer cancel()
	}
	srv.cache = o.Cache
	slirp, sandbox := false, !slices.Contains(o.Extra, sandboxOption) // else it is for the user to say
	for {
		status, err = once(ctx, o, terminal, path, srv, slirp, sandbox)
		if errors.Is(err, errNoSandbox) {
			fmt.Fprintf(o.Notes, "yolk: %v; it runs without\n", err)
			sandbox = false
			continue
		}
		if errors.Is(err, errNoStream) {
			fmt.Fprintf(o.Notes, "yolk: %v; with QEMU's own the guest reaches what listens on the host's loopback, at %v, and large frames and IPv6 are missing\n", err, o.Network.User.Router4)
			own.Network, slirp = *o.Network.overSlirp(), true
			continue
		}
		var failed *serverError
		if errors.As(err, &failed) && srv.path != "" && !srv.chroot && os.Geteuid() == 0 {
			srv.chroot = true // as in a container, which lets nobody make name spaces
			continue
		}
		if !errors.As(err, &failed) || o.Daemon != AutoDaemon || srv.path == "" {
			return status, err
		}
		// For example a user namespace that the host does not allow.
		fmt.Fprintf(o.Notes, "yolk: built-in virtio-fs server in use: %v\n", err)
		srv = server{cache: o.Cache}
	}
}

// serverError is the end of a virtio-fs server before the program's start.
type serverError struct{ err error }

func (e *serverError) Error() string { return e.err.Error() }

// guest is one attempt to run: its processes and this process's ends of the
// sockets to them.
type guest struct {
	o        *Options
	config   Config
	settings string      // lines for the kernel
	files    descriptors // for QEMU
	closers  []io.Closer
	server   server
	first    []*shareServer // of each share
	servers  *servers
	qemu     *process
	slirp    bool // QEMU's own network stands for the user's

	network     *process // serves the guest's network; nil: nobody does
	networkKeep io.Closer

	conns    struct{ control, keys, link, time, profile, locks, events *net.UnixConn }
	begun    time.Time // when QEMU was started
	recorder *recorder // nil: nobody wants to know of a crash

	control  *progress
	link     *link
	profiles []*profile // those that are wanted
	events   *events    // nil: none are wanted
	mergers  []*merger
	inputs   []programInput

	interrupted bool             // the program has had a SIGINT
	stopLimit   <-chan time.Time // when it should have ended after a SIGTERM; nil: it has had none
	terminal    *terminal        // nil: there is none
	keyboard    *keyboard

	mu     sync.Mutex
	failed []failedStream
	noting sync.Mutex
}

func once(ctx context.Context, o *Options, t *terminal, path string, srv server, slirp, sandbox bool) (int, error) {
	srv.served = o.Served
	g := &guest{o: o, terminal: t, keyboard: newKeyboard(t), server: srv, servers: newServers(), slirp: slirp}
	defer g.close()
	kernel, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", o.Kernel.Fd()))
	if err != nil {
		return 0, err
	}
	g.config = Config{Machine: o.Machine, Accel: o.Accel, Memory: o.Memory, CPUs: o.CPUs, Count: o.Count, Kernel: fdPath(g.files.add(kernel)), Random: !o.Count, Sandbox: sandbox, Extra: o.Extra}
	if err := g.addRecorder(); err != nil {
		return 0, err
	}
	if err := g.addStreams(); err != nil {
		return 0, err
	}
	if err := g.addFiles(srv); err != nil {
		return 0, err
	}
	if len(o.Shares) > 0 {
		w, err := watchShares(g.link, o.Shares)
		if err != nil {
			return 0, err
		}
		g.closers = append(g.closers, w)
	}
	for _, s := range o.Shares {
		client, err := g.serve(s)
		if err != nil {
			return 0, &serverError{err}
		}
		g.config.Shares = append(g.config.Shares, ShareFD{Tag: s.Tag, FD: g.files.add(client)})
	}
	if err := g.addDisks(); err != nil {
		return 0, err
	}
	if err := g.addNetwork(); err != nil {
		return 0, err
	}
	if o.Debug != nil {
		socket, err := o.Debug.File()
		if err != nil {
			return 0, err
		}
		g.config.Debug = g.files.add(socket)
	}
	t.hand(false)
	g.qemu, err = start(path, g.config.Args(), &g.files, o.Trace, o.Trace)
	if err != nil {
		return 0, err
	}
	g.begun = time.Now()
	if g.recorder != nil {
		go g.recorder.monitor.begin() // if it fails, so does what follows
	}
	if o.OnStart != nil {
		o.OnStart()
	}
	status, err := g.wait(ctx)
	g.report(path, status, err)
	if o.Boot != nil && closed(g.control.done) {
		*o.Boot = g.control.boot
	}
	var lost []error
	if closed(g.control.main) {
		for _, p := range g.profiles {
			if closed(p.done) && p.err != nil {
				lost = append(lost, p.err)
			}
		}
		if g.events != nil && closed(g.events.done) && g.events.err != nil {
			lost = append(lost, g.events.err)
		}
		if err := g.lost(); err != nil {
			lost = append(lost, err)
		}
	}
	if status == 0 && err == nil {
		return 0, errors.Join(lost...)
	}
	for _, l := range lost {
		g.note("%v", l)
	}
	return status, err
}

// note says something in a line.
func (g *guest) note(format string, args ...any) {
	g.noting.Lock()
	defer g.noting.Unlock()
	fmt.Fprintf(g.o.Notes, "yolk: "+format+"\n", args...)
}

// close ends what is left and releases everything.
func (g *guest) close() {
	if g.qemu != nil {
		g.qemu.kill()
	}
	if g.network != nil {
		g.networkKeep.Close()
		g.network.kill()
	}
	g.files.close()
	for _, c := range g.closers {
		c.Close()
	}
	for _, m := range g.mergers {
		m.abandon()
	}
	g.servers.close()
}
