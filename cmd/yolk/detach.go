package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/cmd/yolk/internal/detached"
	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/signals"
	"github.com/yolkos/yolk/kernel/logline"
	"github.com/yolkos/yolk/qemu"
)

// yolk run --detach starts yolk once more, with the hidden command run-detached and
// the same arguments, in a session of its own. That process builds the image and
// runs the machine in every way as yolk run does, but its streams are the log. The
// two have a socket between them: the command returns once the other one has said
// there that the program starts, or has ended; and where the command is killed
// before, the other one ends.

// detachFlags are the options of yolk run about machines in the background.
type detachFlags struct {
	on     bool
	name   string
	remove bool
}

func (f *detachFlags) add(set *pflag.FlagSet) {
	set.BoolVarP(&f.on, "detach", "d", false, "run in the background, and print the name of the machine when its program starts")
	set.StringVar(&f.name, "name", "", "with --detach, the machine's name (default: the program's, with a number if that is taken)")
	set.BoolVar(&f.remove, "rm", false, "with --detach, leave nothing of the machine when it has ended")
}

// unused reports an option that means nothing in the foreground.
func (f *detachFlags) unused() error {
	switch {
	case f.name != "":
		return errors.New("--name is for --detach: a machine in the foreground has no name")
	case f.remove:
		return errors.New("--rm is for --detach: nothing is left of a machine in the foreground")
	}
	return nil
}

// backgroundCommand is the hidden command that runName starts with --detach.
const (
	runName           = "run"
	backgroundCommand = "run-detached"
)

// launcherFD is the socket to the command that has started a backgroundCommand.
const launcherFD = 3

// start starts the machine and returns when its program starts. The line is that of this
// command.
func (f *detachFlags) start(ctx context.Context, line []string) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket pair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket")
	defer ours.Close()
	cmd := exec.Command("/proc/self/exe", append([]string{backgroundCommand}, line[slices.Index(line, runName)+1:]...)...)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{theirs} // launcherFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		sig := syscall.SIGTERM
		if s, ok := signals.AsError(context.Cause(ctx)); ok {
			sig = s
		}
		_ = cmd.Process.Signal(sig) // it may have ended
	})
	name, err := io.ReadAll(ours)
	stop()
	if err == nil && len(name) > 0 {
		_, err = os.Stdout.Write(name)
		return err
	}
	err = cmd.Wait()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed) && failed.Exited():
		return exit.Status(failed.ExitCode()) // it has said why
	case err == nil:
		err = errors.New("it ended before its program started")
	}
	return fmt.Errorf("the machine's process: %w", err)
}

// background is the machine that this process is.
type background struct {
	own  *detached.Own
	said *os.File // to the launcher

	mu sync.Mutex
	up bool // nobody reads this process's standard error any more
}

func backgroundCmd() *cobra.Command {
	o := &runOptions{}
	cmd := o.command(func(cmd *cobra.Command, args []string) error { return o.inBackground(cmd, args) })
	cmd.Use, cmd.Hidden = backgroundCommand, true
	return cmd
}

// inBackground is the body of a backgroundCommand.
func (r *runOptions) inBackground(cmd *cobra.Command, args []string) error {
	unix.CloseOnExec(launcherFD)
	launcher := os.NewFile(launcherFD, "launcher")
	if launcher == nil {
		return errors.New("this command is for yolk's own use")
	}
	packages, program, err := splitRunArgs(args)
	if err != nil {
		return err
	}
	dir, err := detached.Open()
	if err != nil {
		return err
	}
	var own *detached.Own
	if r.detach.name != "" {
		own, err = dir.Claim(r.detach.name)
	} else {
		own, err = dir.ClaimFree(nameOf(packages[0]))
	}
	if err != nil {
		return err
	}
	own.Info.Remove = r.detach.remove
	r.machine = &background{own: own, said: launcher}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	r.machine.watch(cancel)
	own.Info.Program = append(packages[:1:1], program...)
	cmd.SetContext(ctx)
	return r.machine.ended(ctx, r.run(cmd, args))
}

// nameOf makes a name for a machine of its package or image.
func nameOf(pkg string) string {
	pkg, _, _ = strings.Cut(pkg, "@")
	if abs, err := filepath.Abs(pkg); err == nil {
		pkg = abs
	}
	return detached.NameFor(strings.TrimSuffix(strings.TrimSuffix(pkg, ".go"), ".elf"))
}

// watch has the machine end when its launcher goes before the program starts, and at
// detached.KillSignal.
func (b *background) watch(cancel context.CancelCauseFunc) {
	go func() {
		_, _ = b.said.Read(make([]byte, 1)) // it says nothing
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.up {
			cancel(&qemu.SignalError{Signal: syscall.SIGHUP})
		}
	}()
	kill := make(chan os.Signal, 1)
	signal.Notify(kill, detached.KillSignal)
	go func() {
		<-kill
		cancel(&qemu.SignalError{Signal: syscall.SIGKILL})
	}()
}

// notes is where what yolk has to say goes: standard error, in the background also the
// log, and only that once the program has started.
func (b *background) notes() io.Writer {
	if b == nil {
		return os.Stderr
	}
	return b
}

func (b *background) Write(p []byte) (int, error) {
	b.mu.Lock()
	up := b.up
	b.mu.Unlock()
	if !up {
		_, _ = os.Stderr.Write(p) // it may be gone, as the launcher's terminal
	}
	return b.own.Log.Writer(detached.Kernel).Write(p)
}

// boot is boot with the log for the program's streams.
func (b *background) boot(ctx context.Context, o *qemu.Options) error {
	info := &b.own.Info
	if len(o.Args) > 0 {
		info.Program = o.Args
	}
	for _, f := range o.Network.User.Forwards {
		info.Ports = append(info.Ports, f.String())
	}
	if err := b.own.Save(); err != nil {
		return err
	}
	stdout, stderr, kernel := b.own.Log.Writer(detached.Stdout), b.own.Log.Writer(detached.Stderr), b.own.Log.Writer(detached.Kernel)
	o.Stdin, o.Stdout, o.Stderr, o.Console, o.Notes = nil, stdout, stderr, stderr, b
	o.Log = func(line []byte) (show bool) {
		_, _ = kernel.Write(line)
		return false
	}
	o.OnMain = b.started
	return bootWith(ctx, o)
}

// started tells the launcher that the program starts.
func (b *background) started() {
	b.own.Info.Started = time.Now()
	if err := b.own.Save(); err != nil {
		fmt.Fprintf(b, "yolk: %v\n", err)
	}
	// The launcher's standard error may be what somebody reads to its end.
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		_ = unix.Dup3(int(null.Fd()), 2, 0)
		null.Close()
	}
	b.mu.Lock()
	b.up = true
	b.mu.Unlock()
	fmt.Fprintln(b.said, b.own.Info.Name) // a launcher that is gone needs no news
	_ = unix.Shutdown(int(b.said.Fd()), unix.SHUT_WR)
}

// ended writes down how the run ended. Of one that never began the launcher tells, and
// nothing is left.
func (b *background) ended(ctx context.Context, err error) error {
	b.mu.Lock()
	up := b.up
	b.mu.Unlock()
	var text strings.Builder
	end := detached.End{At: time.Now(), Status: statusOf(ctx, err, &text)}
	end.Why = strings.TrimSpace(strings.TrimPrefix(text.String(), "yolk: "))
	if !up {
		b.own.Info.Remove = true
		return errors.Join(err, b.own.Ended(end))
	}
	if end.Why != "" {
		notes := io.Writer(b)
		if lastWords != io.Writer(os.Stderr) {
			notes = qemu.JSONNotes(b, logline.Error)
		}
		_, _ = io.WriteString(notes, text.String())
	}
	return b.own.Ended(end)
}
