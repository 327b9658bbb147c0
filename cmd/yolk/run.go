package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/inspect"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/kernel/logline"
	"github.com/yolkos/yolk/qemu"
)

// runOptions are the options of yolk run.
type runOptions struct {
	guest   options.Guest
	build   options.Build
	cwd     string
	timeout options.Limit
	stop    options.Limit
	profile string
	locks   string
	crash   string
	trace   traceFlags
	chart   string
	log     options.Choice
	quiet   bool
	detach  detachFlags
	machine *background // that this process is; nil: it is in the foreground

	// What other commands that run a program do in their own way: whether it is built for a
	// debugger, and, if not nil, what is done with the guest that file is the image of.
	debug bool
	start func(ctx context.Context, o *qemu.Options, file string, notes io.Writer) error
}

// The forms of the log.
const (
	logText = "text"
	logJSON = "json" // an object a line
)

// defaultStop is how long a program may take to end after SIGTERM.
const defaultStop = options.Limit(10 * time.Second)

func runCmd() *cobra.Command {
	o := &runOptions{}
	return o.command(func(cmd *cobra.Command, args []string) error {
		if o.detach.on {
			return o.detach.start(cmd.Context(), os.Args[1:])
		}
		if err := o.detach.unused(); err != nil {
			return err
		}
		return o.run(cmd, args)
	})
}

// command makes yolk run, or what it runs in the background.
func (o *runOptions) command(run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [flags] PKG [ARG...]",
		Short: "Build a main package, boot it, and pass its exit status on",
		Long: `Run builds a main package, boots it in QEMU and ends with its exit status. The
package is named as for go run: a directory, an import path, PKG@VERSION or .go
files. An image that yolk build has made is booted as it is. It may carry its root,
arguments, environment and working directory: what is given here goes before that.

All that follows the package are the program's arguments, as with go run: options
of yolk go before it. A -- right behind the package may stand between the two.

The program's output goes where yolk's goes; the kernel's log goes to standard
error. A terminal is the program's own: it reads keys as it likes, and Ctrl-C is its
SIGINT. If it takes no notice, Ctrl-C typed three times or more, over two seconds,
ends the machine.

With --detach the command returns as soon as the program starts, or has failed to; yolk ps,
logs, stop, wait and rm take the name of the machine, which is printed.

The program gets yolk's signals, and what they do to it is what they do to any Go
program. A second SIGINT, or the time of --stop-timeout after SIGTERM, ends the
machine. Status 124 means that --timeout ended the program, 125 that yolk could not
run it or that its machine failed.`,
		Example: "  yolk run .\n" +
			"  yolk run -p 8080:80 --root ./site --mem 512M -tags prod ./cmd/server\n" +
			"  yolk run example.com/cmd/tool@v1.2.3\n" +
			"  yolk build -o app.elf . && yolk run app.elf",
		Annotations:       map[string]string{programArgs: "true"},
		ValidArgsFunction: options.CompletePackage,
		RunE:              run,
	}
	o.add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of the program to this file, for go tool pprof")
	flags.StringVar(&o.locks, "lock-profile", "", "write a profile of the locks that were waited for, the kernel's too, to this file, for go tool pprof")
	o.log = options.Choose(logText, logJSON)
	flags.Var(&o.log, "log", "form of the kernel's log, and of what yolk says")
	flags.StringVar(&o.crash, "crash", "", "write a report to this file if the program crashes, or the machine dies or does not end in time")
	o.trace.add(flags)
	flags.StringVar(&o.chart, "boot-chart", "", "draw how the boot went, from the first instruction to main, to this file (SVG)")
	o.detach.add(flags)
	options.CompleteFlags(cmd)
	return cmd
}

// add defines the options of every command that runs a program.
func (r *runOptions) add(flags *pflag.FlagSet) {
	flags.SetInterspersed(false)
	r.guest.Add(flags, "256M", "p")
	r.build.Add(flags)
	flags.BoolVarP(&r.guest.Verbose, "verbose", "v", false, "show the commands that are run")
	flags.StringVar(&r.cwd, "cwd", "/", "working directory in the guest")
	flags.Var(&r.timeout, "timeout", "end the guest after this time, with status 124")
	r.stop = defaultStop
	flags.Var(&r.stop, "stop-timeout", "end the guest this time after SIGTERM if its program has not ended; 0: never")
	flags.BoolVarP(&r.quiet, "quiet", "q", false, "no boot messages")
}

func (r *runOptions) run(cmd *cobra.Command, args []string) (failed error) {
	if r.log.Value == logJSON {
		lastWords = qemu.JSONNotes(os.Stderr, logline.Error)
	}
	ctx := cmd.Context()
	packages, programArgs, err := splitRunArgs(args)
	if err != nil {
		return err
	}
	stderr := r.machine.notes()
	if r.log.Value == logJSON {
		stderr = qemu.JSONNotes(stderr, logline.Info)
	}
	notes := stderr
	if r.quiet {
		notes = io.Discard
	}
	noteFlag(notes, cmd, args[len(packages):])
	o := &qemu.Options{Dir: r.cwd, Quiet: r.quiet, JSON: r.log.Value == logJSON, Timeout: time.Duration(r.timeout), StopTimeout: time.Duration(r.stop)}
	var base []string
	if r.machine == nil { // else it has no terminal
		base = options.TerminalEnv()
	}
	if r.crash != "" {
		base = append(base, "GOTRACEBACK=all") // unless the program is to have another one
	}
	if o.Env, err = r.guest.Env.Environment(base); err != nil {
		return err
	}
	if err := r.guest.Fill(o, ""); err != nil {
		return err
	}
	own := options.CarriedBy(packages[0])
	if own.Cwd && !cmd.Flags().Changed("cwd") {
		o.Dir = ""
	}
	if err := options.Check(o, own); err != nil {
		return err
	}
	flags, err := r.build.Flags()
	if err != nil {
		return err
	}
	if r.machine != nil && o.Trace != nil {
		o.Trace = r.machine.notes()
	}
	if err := openNetwork(&o.Network, stderr); err != nil {
		return err
	}
	defer closeNetwork(&o.Network)
	name := packages[0]
	if image.IsELF(name) {
		if err := r.onlyToBuild(flags, name); err != nil {
			return err
		}
		if o.Kernel, err = openImage(name); err != nil {
			return err
		}
		name = filepath.Base(name)
	} else {
		for _, p := range []struct {
			name string
			to   *io.Writer
		}{{r.profile, &o.Profile}, {r.locks, &o.Locks}} {
			if p.name == "" {
				continue
			}
			file, err := createProfile(p.name)
			if err != nil {
				return err
			}
			defer file.close()
			*p.to = file
		}
		events, err := r.trace.open(o)
		if err != nil {
			return err
		}
		if events != nil {
			defer func() {
				failed = join(failed, events.close(notes), notes)
			}()
		}
		if r.chart != "" {
			chart, err := createChart(r.chart, o)
			if err != nil {
				return err
			}
			defer func() {
				failed = join(failed, chart.close(name), notes)
			}()
		}
		flags = append(flags, "-buildvcs=false")
		build := imageOptions{flags: flags, profile: r.profile != "", locks: r.locks != "", debug: r.debug, traced: events != nil, staged: r.chart != "", disks: len(o.DiskMounts) > 0, commands: o.Trace}
		if o.Kernel, name, err = buildImage(ctx, packages, build); err != nil {
			return err
		}
	}
	if len(programArgs) > 0 || !own.Args {
		o.Args = append([]string{name}, programArgs...)
	}
	if err := decideNetwork(o, notes); err != nil {
		o.Kernel.Close()
		return err
	}
	if err := accelerate(ctx, o, notes); err != nil {
		return err
	}
	if r.crash != "" {
		report, err := prepareCrash(r.crash, name, o)
		if err != nil {
			o.Kernel.Close()
			return err
		}
		defer report.close()
	}
	about := inspect.About{Program: name, Args: programArgs, Machine: string(o.Machine), Memory: o.Memory, CPUs: o.CPUs}
	if r.machine != nil {
		about.Name = r.machine.own.Info.Name
	}
	o.OnGuest = letInspect(about, notes)
	if r.start != nil {
		return r.start(ctx, o, packages[0], notes)
	}
	if r.machine != nil {
		return r.machine.boot(ctx, o)
	}
	return boot(ctx, o)
}

// join returns failed, or if that is nil, err; of two errors the other is said on notes.
func join(failed, err error, notes io.Writer) error {
	if failed == nil {
		return err
	}
	if err != nil {
		fmt.Fprintf(notes, "yolk: %v\n", err)
	}
	return failed
}

// onlyToBuild reports an option that an image which is built already makes
// nothing of.
func (r *runOptions) onlyToBuild(flags []string, name string) error {
	option := ""
	switch {
	case len(flags) > 0:
		option, _, _ = strings.Cut(flags[0], "=")
	case r.profile != "":
		option = "--profile"
	case r.locks != "":
		option = "--lock-profile"
	case r.trace.file != "":
		option = "--trace"
	case r.chart != "":
		option = "--boot-chart"
	default:
		return nil
	}
	return fmt.Errorf("%s is for building, and %s is built already: name its package instead", option, name)
}

// splitRunArgs divides the arguments into the package, which may be several .go
// files, and the program's.
func splitRunArgs(args []string) (packages, program []string, err error) {
	if len(args) == 0 || args[0] == "" {
		return nil, nil, errors.New("no package to run; . is the one in this directory")
	}
	n := 1
	for strings.HasSuffix(args[0], ".go") && n < len(args) && strings.HasSuffix(args[n], ".go") {
		n++
	}
	packages, program = args[:n], args[n:]
	if len(program) > 0 && program[0] == "--" {
		program = program[1:]
	}
	return packages, program, nil
}

// noteFlag tells of a program's argument that looks like an option of yolk, but
// is behind the package. With -- before it, it is meant so.
func noteFlag(notes io.Writer, cmd *cobra.Command, args []string) {
	for _, a := range args {
		name, ok := strings.CutPrefix(a, "--")
		if name, _, _ = strings.Cut(name, "="); a == "--" {
			return
		} else if ok && cmd.Flags().Lookup(name) != nil {
			fmt.Fprintf(notes, "yolk: --%s goes to the program: options of yolk go before the package (-- behind it says that this is meant)\n", name)
			return
		}
	}
}
