package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/cmd/yolk/internal/signals"
	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

// debugOptions are the options of yolk debug beside those of yolk run.
type debugOptions struct {
	run      runOptions
	debugger options.Choice
	args     []string // further ones of the debugger
	listen   string
	print    bool
	path     string   // of the debugger; empty: none is started
	dir      *os.File // where the socket is, if it has no other place
}

func debugCmd() *cobra.Command {
	var o debugOptions
	cmd := &cobra.Command{
		Use:   "debug [flags] PKG [ARG...]",
		Short: "Run a main package in a debugger, from the machine's first instruction on",
		Long: `Debug builds a main package with symbols, its own packages without optimization,
boots it as yolk run does, and gives the machine to gdb before it executes its first
instruction, which is in the firmware. gdb knows the program, the kernel and the entry
code by name and line, and lists goroutines by Go's own script. --debugger dlv has
Delve in its place. An image is debugged as it is, if it has symbols.

The terminal is the debugger's, and Ctrl-C stops the machine; the program's standard
input is empty. With --listen yolk runs the program as yolk run does, and leaves it to
another gdb, or one in an editor, to connect and to let the machine go.

The status is the program's if it has ended, else the debugger's.`,
		Example: "  yolk debug .                          # then: break main.main, continue\n" +
			"  yolk debug --debugger-arg=-batch --debugger-arg=-x --debugger-arg=script.gdb ./cmd/server\n" +
			"  yolk debug --debugger dlv .\n" +
			"  yolk debug --listen :1234 .           # for the gdb of an editor\n" +
			"  yolk debug --print .                  # the commands, to type oneself",
		Annotations:       map[string]string{programArgs: "true"},
		ValidArgsFunction: options.CompletePackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.print {
				return o.printCommands(cmd, args)
			}
			if err := o.find(); err != nil {
				return err
			}
			return o.run.run(cmd, args)
		},
	}
	o.run.debug = true
	o.run.start = o.start
	flags := cmd.Flags()
	o.run.add(flags)
	o.debugger = options.Choose("gdb", "dlv")
	flags.Var(&o.debugger, "debugger", "debugger")
	flags.StringArrayVar(&o.args, "debugger-arg", nil, "further argument of the debugger, behind those that connect it (repeatable)")
	flags.StringVar(&o.listen, "listen", "", "wait for a gdb at this address, [HOST]:PORT or the path of a socket, and start none")
	flags.BoolVar(&o.print, "print", false, "print the commands that do this without yolk's devices, and run none")
	options.CompleteFlags(cmd)
	return cmd
}

// find looks for the debugger, before anything is built.
func (d *debugOptions) find() (err error) {
	delve := d.debugger.Value == "dlv"
	switch {
	case d.listen != "" && delve:
		return errors.New("--listen is for gdb: with Delve it is --debugger-arg=--headless --debugger-arg=--listen=ADDRESS")
	case d.listen != "":
		return nil
	}
	if d.path, err = exec.LookPath(d.debugger.Value); err == nil {
		return nil
	}
	if delve {
		return errors.New("dlv is not in PATH: go install github.com/go-delve/delve/cmd/dlv@latest")
	}
	return errors.New("gdb is not in PATH: install it (Debian: apt-get install gdb), or use another debugger with --debugger or --listen")
}

// start runs the guest with a debugger. File is its image, if that was built before.
func (d *debugOptions) start(ctx context.Context, o *qemu.Options, file string, _ io.Writer) error {
	defer o.Kernel.Close()
	dwarf, script := image.Symbols(o.Kernel)
	if !dwarf {
		return fmt.Errorf("%s has no symbols for a debugger: name its package instead, or build it with yolk build -ldflags='-s=0 -w=0'", file)
	}
	dir, err := scratch.New()
	if err != nil {
		return err
	}
	defer dir.Remove()
	if !image.IsELF(file) {
		if file, err = copyImage(o.Kernel, filepath.Join(dir.Path, filepath.Base(o.Args[0]))); err != nil {
			return err
		}
	}
	l, address, err := d.listener(dir.Path)
	if err != nil {
		return err
	}
	defer d.dir.Close()
	defer l.Close()
	o.Debug = l.(qemu.Listener)
	if d.debugger.Value == "dlv" {
		cmd, err := delveCommand(d.path, dir.Path, file, address, d.args)
		if err != nil {
			return err
		}
		return underDebugger(ctx, o, cmd)
	}
	args, err := gdbArguments(ctx, script)
	if err != nil {
		return err
	}
	goroutines := filepath.Join(dir.Path, "goroutines.py")
	if err := os.WriteFile(goroutines, []byte(goroutinesScript), 0o600); err != nil {
		return err
	}
	args = slices.Concat(args, []string{file, "-ex", "source " + goroutines, "-ex", "target remote " + address}, d.args)
	if d.listen != "" {
		o.OnStart = func() {
			fmt.Fprintf(os.Stderr, "yolk: the machine waits for a debugger: %s\n", qemu.CommandLine("gdb", args))
		}
		return boot(ctx, o)
	}
	return underDebugger(ctx, o, exec.Command(d.path, args...))
}

// copyImage gives an image a name.
func copyImage(in *os.File, name string) (string, error) {
	out, err := os.Create(name)
	if err != nil {
		return "", err
	}
	info, err := in.Stat()
	if err == nil {
		_, err = io.Copy(out, io.NewSectionReader(in, 0, info.Size()))
	}
	return name, errors.Join(err, out.Close())
}

// goroutinesScript has gdb find the goroutines that run on CPUs.
//
//go:embed goroutines.py
var goroutinesScript string

// gdbArguments are those that have gdb know Go. Script is the one that the image asks
// for. It is code: only the one of the toolchain's is run.
func gdbArguments(ctx context.Context, script string) ([]string, error) {
	t, err := toolchain.Ensure(ctx, "", os.Stderr)
	if err != nil {
		return nil, err
	}
	// The machine may take its time to answer, as on a busy host.
	args := []string{"-q", "-iex", "set remotetimeout 600"}
	own := filepath.Join(t.Root, "src", "runtime", "runtime-gdb.py")
	if script == own {
		return append(args, "-iex", "add-auto-load-safe-path "+own), nil
	}
	return append(args, "-iex", "set auto-load python-scripts off", "-ex", "source "+own), nil
}

// listener returns the socket where a debugger finds the machine, and the address as gdb
// takes it. Who connects has the machine do what the user may: the socket is private but
// for the address that the user asks for.
func (d *debugOptions) listener(dir string) (l net.Listener, address string, err error) {
	switch {
	case d.listen == "":
		// A path that is short enough for a socket, whatever the cache's is.
		if d.dir, err = os.Open(dir); err != nil {
			return nil, "", err
		}
		address = fmt.Sprintf("/proc/%d/fd/%d/gdb", os.Getpid(), d.dir.Fd())
		l, err = net.Listen("unix", address)
		return l, address, err
	case strings.Contains(d.listen, "/"):
		if address, err = filepath.Abs(d.listen); err != nil {
			return nil, "", err
		}
		old := syscall.Umask(0o077)
		l, err = net.Listen("unix", address)
		syscall.Umask(old)
	default:
		host, port, err := net.SplitHostPort(d.listen)
		if err != nil {
			return nil, "", fmt.Errorf("--listen %s: want [HOST]:PORT, or the path of a socket with a slash in it", d.listen)
		}
		if host == "" {
			host = "127.0.0.1" // as gdb reads it
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(host, port)); err != nil {
			return nil, "", fmt.Errorf("--listen %s: %w", d.listen, err)
		}
		return l, l.Addr().String(), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("--listen %s: %w", d.listen, err)
	}
	return l, address, nil
}

// printCommands prints what builds an image, and starts QEMU and gdb on it.
func (d *debugOptions) printCommands(cmd *cobra.Command, args []string) error {
	packages, programArgs, err := splitRunArgs(args)
	if err != nil {
		return err
	}
	flags, err := d.run.build.Flags()
	if err != nil {
		return err
	}
	env, err := d.run.guest.Env.Environment(nil)
	if err != nil {
		return err
	}
	var o qemu.Options
	if err := d.run.guest.Fill(&o, ""); err != nil {
		return err
	}
	if len(o.Shares) > 0 || len(o.Disks) > 0 {
		fmt.Fprintln(os.Stderr, "yolk: without yolk there are no --root, --mount and --disk: --listen has them")
	}
	path, err := qemu.FindQEMU()
	if err != nil {
		return err
	}
	if err := accelerate(cmd.Context(), &o, io.Discard); err != nil {
		return err
	}
	gdb, err := gdbArguments(cmd.Context(), "")
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	file := packages[0]
	if !image.IsELF(file) {
		file = "debug.elf"
		build := slices.Concat([]string{"build", "-o", file, "-gcflags=-N -l", "-ldflags=-s=0 -w=0"}, flags, packages)
		fmt.Fprintln(out, qemu.CommandLine("yolk", build))
	}
	address, device := "127.0.0.1:1234", "tcp:127.0.0.1:1234"
	switch {
	case strings.Contains(d.listen, "/"):
		address, device = d.listen, "unix:"+d.listen+",server=on,wait=off"
	case d.listen != "":
		address, device = d.listen, "tcp:"+d.listen
	}
	c := qemu.Config{Machine: o.Machine, Accel: o.Accel, Memory: o.Memory, CPUs: o.CPUs, Kernel: file, Extra: append([]string{"-serial", "stdio", "-S", "-gdb", device}, o.Extra...)}
	var words []string // for the kernel, which takes quotes as a shell does
	for _, e := range env {
		words = append(words, "yolk.env="+e)
	}
	if cmd.Flags().Changed("cwd") {
		words = append(words, "yolk.cwd="+d.run.cwd)
	}
	if words = append(append(words, "--"), programArgs...); len(words) > 1 {
		c.Append = qemu.CommandLine(words[0], words[1:])
	}
	fmt.Fprintln(out, qemu.CommandLine(path, c.Args()))
	fmt.Fprintln(out, qemu.CommandLine("gdb", slices.Concat(gdb, []string{file, "-ex", "target remote " + address}, d.args)))
	return nil
}

// errLeft is why a guest ends whose debugger has ended.
var errLeft = errors.New("the debugger has ended")

// leaveTime is how long a debugger may take to end when it is asked to.
const leaveTime = 2 * time.Second

// underDebugger runs a guest while a debugger has the terminal.
func underDebugger(ctx context.Context, o *qemu.Options, debugger *exec.Cmd) error {
	if o.Trace != nil {
		fmt.Fprintln(o.Trace, "+", qemu.CommandLine(debugger.Path, debugger.Args[1:]))
	}
	debugger.Stdin, debugger.Stdout, debugger.Stderr = os.Stdin, os.Stdout, os.Stderr
	debugger.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGHUP}

	// The keys of the terminal are signals to gdb.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keys, done := signals.Process.Hold()
	defer done()
	signal.Reset(syscall.SIGTTIN)
	go func() {
		for sig := range keys {
			if sig != syscall.SIGINT && sig != syscall.SIGQUIT {
				cancel(&qemu.SignalError{Signal: sig.(syscall.Signal)})
			}
		}
	}()

	started := make(chan struct{}, 1)
	o.OnStart = func() {
		select {
		case started <- struct{}{}:
		default:
		}
	}
	ended := make(chan error, 1)
	ownOutputs(o)
	go func() { ended <- runGuest(ctx, o) }()
	select {
	case err := <-ended:
		return err
	case <-started:
	}
	if err := debugger.Start(); err != nil {
		cancel(err)
		<-ended
		return err
	}
	var err error
	left := make(chan struct{})
	go func() { _ = debugger.Wait(); close(left) }() // how, its state tells
	select {
	case <-left:
		cancel(errLeft)
		err = <-ended
	case err = <-ended:
		if context.Cause(ctx) != nil || errors.Is(err, exit.Status(exit.Timeout)) {
			endProcess(debugger.Process, left)
		}
		<-left // the user may want to look at what there was
	}
	if errors.Is(err, errLeft) {
		if err = nil; debugger.ProcessState.ExitCode() != 0 {
			err = exit.Status(max(debugger.ProcessState.ExitCode(), 1))
		}
	}
	return err
}

// endProcess ends a debugger, which puts the terminal in order if it has the time.
func endProcess(p *os.Process, left <-chan struct{}) {
	_ = p.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-left:
	case <-time.After(leaveTime):
		_ = p.Kill()
	}
}
