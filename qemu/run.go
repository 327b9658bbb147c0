package qemu

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/kernel/control"
	"github.com/yolkos/yolk/kernel/logline"
	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/qemu/served"
)

// Options is what a run needs to know.
type Options struct {
	Kernel *os.File // the image; Run closes it
	Args   []string // of the program, its name first
	Env    []string // KEY=VALUE
	Dir    string   // working directory in the guest
	Quiet  bool     // no boot messages

	Machine Machine
	Accel   Accel         // KVM or TCG
	Memory  uint64        // bytes
	CPUs    int           // 0: one
	Count   bool          // as of Config
	Timeout time.Duration // 0: none
	Shares  []Share
	Disks   []Disk // /dev/vda and so on, in their order
	// DiskMounts are what the guest's kernel mounts of them.
	DiskMounts []DiskMount
	Daemon     Daemon
	Cache      Cache
	Network    Network
	Self       []string // command of this program that ends up in ServeBuiltin
	SelfNet    []string // command of this program that ends up in ServeNetwork

	Hostname string   // of the guest; empty: its own
	Extra    []string // arguments of QEMU's own

	Stdin   io.Reader // nil: empty
	Stdout  io.Writer
	Stderr  io.Writer
	Console io.Writer // the kernel's log
	Notes   io.Writer // what Run itself has to say
	Trace   io.Writer // the commands that are run; nil: not shown
	Profile io.Writer // gets the profile of an image with kernel/profile; nil: none
	Locks   io.Writer // gets the profile of an image with kernel/profile/locks; nil: none
	Kinds   string    // what an image with kernel/trace traces to begin with; "": all
	Boot    *Boot     // gets how the boot of an image with kernel/stages went; nil: nobody wants to know
	// Events returns what gets the stream of an image with kernel/trace (kernel/trace/wire): of
	// each attempt to start the guest, of which the last counts; nil: none is wanted.
	Events func() io.Writer
	// Served gets what tells which requests the built-in server of a share served when, of each that is
	// started, and closes it; nil: nobody wants to know.
	Served func(tag string, r *served.Reader)

	JSON    bool     // the kernel's log and Notes are JSON, an object a line: package logline
	OnMain  func()   // called as the program is about to start; may be nil
	Debug   Listener // where a debugger finds the machine, which waits for it; nil: nowhere
	OnStart func()   // called when QEMU has been started, more than once if one does not do; may be nil

	// OnGuest is called like OnMain, or when a program that is held would start, in a
	// goroutine of its own; may be nil.
	OnGuest func(g *Guest)
	Hold    Hold // the program does not start; empty: it does

	// Log gets each line of the kernel's log, with its end, and says whether it goes to
	// Console as well; nil: all do.
	Log func(line []byte) (show bool)

	// OnCrash is told of a machine that has not ended as it should, before Run returns,
	// and says in a line what it has made of it; nil: nobody wants to know. It is not
	// told of a machine that has never run.
	OnCrash func(*Crash) (note string)

	Signals     <-chan os.Signal     // for the program; nil: none
	StopTimeout time.Duration        // how long the program may take to end after SIGTERM; 0: as long as it likes
	Suspend     func(syscall.Signal) // stops this process until it is continued; nil: it cannot be
}

// Hold says when the program of a guest is held, until the guest ends: kernel/flags.go.
type Hold string

// When a program is held.
const (
	AfterBoot    Hold = "boot"
	AfterNetwork Hold = "network" // for an image that has one; others are not held by it
)

// Listener is a listening socket, of package net or any other, of which File returns a
// duplicate.
type Listener interface{ File() (*os.File, error) }

// ErrTimeout is the error of a run that was ended at its time limit.
var ErrTimeout = errors.New("time limit reached")

// grace is how long QEMU may take to end after the kernel has told the exit
// status; powering off takes it a few milliseconds. Nothing is lost after it:
// what the guest has written has left it by then.
const grace = 2 * time.Second

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

// addFiles gives the guest its arguments, environment and settings, and what to
// know of its servers. Each item of a list ends with a NUL byte.
func (g *guest) addFiles(srv server) error {
	o := g.o
	for _, s := range slices.Concat(o.Args, o.Env, []string{o.Dir}) {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%q: a NUL byte cannot be passed on", s)
		}
	}
	list := func(items []string) string { return strings.Join(append(slices.Clone(items), ""), "\x00") }
	flags := g.settings
	switch {
	case o.Log != nil, o.OnCrash != nil:
		flags += "log.marked=1\n"
	case o.Quiet:
		flags += "quiet=1\n"
	}
	if o.JSON {
		flags += "log=json\n"
	}
	if o.Hold != "" {
		flags += "hold=" + string(o.Hold) + "\n"
	}
	if o.Trace != nil {
		flags += "enosys=1\n"
	}
	if o.Hostname != "" {
		flags += "net.hostname=" + o.Hostname + "\n"
	}
	if o.Events != nil && o.Kinds != "" {
		flags += wire.Setting + "=" + o.Kinds + "\n"
	}
	flags += o.Network.settings()
	flags += srv.flags(o.Shares)
	for _, m := range o.DiskMounts {
		flags += m.Settings()
	}
	if len(o.Shares) > 0 {
		flags += "watch=1\n"
	}
	for _, f := range []struct{ name, data string }{
		{"args", list(o.Args)}, {"env", list(o.Env)}, {"cwd", o.Dir}, {"flags", flags},
		{"time", fmt.Sprint(time.Now().UnixNano())}, {"seed", o.seed()},
	} {
		if f.data == "" {
			continue // an empty file is as good as none
		}
		file, err := memfile(f.name, []byte(f.data))
		if err != nil {
			return err
		}
		g.config.Files = append(g.config.Files, File{Name: "opt/yolk/" + f.name, FD: g.files.add(file)})
	}
	return nil
}

// seed makes random bytes for the guest, other ones for each unless it is to be
// the same in each run.
func (o *Options) seed() string {
	seed := make([]byte, 64)
	if !o.Count {
		rand.Read(seed) // it does not fail
	}
	return string(seed)
}

// wait waits for the guest's end, or brings it about.
func (g *guest) wait(ctx context.Context) (int, error) {
	main, exited, held := g.control.main, g.control.exited, g.link.held
	var late, settled <-chan time.Time
	var unsettled []*shareServer // that have ended, perhaps with QEMU
	network := g.networkDone()
	for {
		select {
		case <-g.qemu.done:
			whole := g.drain(ctx)
			g.announce(unsettled)
			status, err := g.verdict()
			if !whole && err == nil {
				err = context.Cause(ctx)
			}
			return status, err
		case <-main:
			main = nil
			g.o.Network.closeSockets() // there is no other attempt: when the network ends, nobody listens
			if g.o.OnMain != nil {
				g.o.OnMain()
			}
			if g.o.OnGuest != nil && g.o.Hold == "" {
				go g.o.OnGuest(&Guest{g.link})
			}
		case <-held:
			held = nil
			if g.o.OnGuest != nil {
				go g.o.OnGuest(&Guest{g.link})
			}
		case <-exited:
			exited = nil
			if g.o.Debug == nil { // a debugger may stop it there as well
				late = time.After(grace)
			}
		case <-late:
			g.qemu.kill()
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrTimeout) {
				g.hangs()
			}
			g.endNow(ctx)
			return 0, context.Cause(ctx)
		case sig := <-g.o.Signals:
			if err := g.signal(sig); err != nil {
				return 0, g.endSoon(err)
			}
		case <-g.stopLimit:
			g.note("the program has not ended within %v of SIGTERM", g.o.StopTimeout)
			g.hangs()
			return 0, g.endSoon(errStopTime)
		case sig := <-g.link.stop:
			g.suspend(sig)
		case <-g.keyboard.hangs:
			g.note("the program takes no notice of Ctrl-C")
			return 0, g.endSoon(&SignalError{syscall.SIGINT})
		case s := <-g.servers.ended:
			if g.serverEnded(s) {
				unsettled = append(unsettled, s)
				settled = time.After(settleTime)
			}
		case <-network:
			network = nil
			if err := g.networkEnded(); err != nil && !closed(g.control.main) {
				g.qemu.kill()
				g.drain(ctx)
				return 0, err
			} else if err != nil {
				g.note("%v; the guest has no network any more", err)
				g.link.tell(control.NetworkEnded)
			}
		case <-settled:
			if !closed(g.control.main) {
				g.qemu.kill()
				g.drain(ctx)
				return 0, &serverError{unsettled[0].end()}
			}
			g.announce(unsettled)
			unsettled = nil
		}
	}
}

// verdict finds out how a guest whose QEMU has ended by itself did.
func (g *guest) verdict() (int, error) {
	switch {
	case closed(g.control.exited):
		return g.control.status, nil
	case g.qemu.err == nil:
		return 0, errors.New("the guest stopped without an exit status (reset, triple fault or power-off)")
	}
	// isa-debug-exit: QEMU's own failures have the even status 1<<1 or a signal.
	if code := g.qemu.cmd.ProcessState.ExitCode(); code > 1 && code&1 == 1 {
		return code >> 1, nil
	}
	if g.lacksStream() {
		return 0, errNoStream
	}
	if err := g.lacksSandbox(); err != nil {
		return 0, err
	}
	if err := g.serverFailure(); err != nil {
		return 0, err
	}
	return 0, g.qemu.end()
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
