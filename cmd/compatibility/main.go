// Command compatibility builds well-known programs and runs test suites on
// Linux and in guests of both machine types, compares what they do, and writes
// the page docs/COMPATIBILITY.md.
//
// All of them come from the module proxy, at the versions that programs/ and
// suites.txt name. What they did is kept in the user's cache, so that a run
// that was interrupted goes on where it stopped; what that has no record of stays
// on the page as it is. Whatever differs from Linux
// needs a reason in reasons.txt; without one, the command fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

// defaultPage is the page, from the repository's top.
const defaultPage = "docs/COMPATIBILITY.md"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compatibility:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	r := &runner{progress: os.Stderr}
	var page, only, where string
	flag.StringVar(&page, "o", defaultPage, "file to write; - for standard output")
	flag.StringVar(&only, "run", "", "run only items whose name matches this `regexp`; of the others the page has what the cache holds, or what it had")
	flag.StringVar(&where, "platforms", strings.Join(platforms[:], ","), "where to run; of the others the page has what the cache holds, or what it had")
	flag.StringVar(&r.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&r.dir, "dir", "", "where to keep results; default: yolk/compatibility in the user's cache")
	flag.BoolVar(&r.again, "again", false, "run items even if the cache holds what they did")
	flag.DurationVar(&r.limit, "limit", 15*time.Minute, "limit for each item that names none, on each platform, building apart")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: no arguments are taken, only flags; see -help", flag.Arg(0))
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	for name := range strings.SplitSeq(where, ",") {
		if err := r.addPlatform(ctx, name); err != nil {
			return err
		}
	}
	l, err := readList()
	if err != nil {
		return err
	}
	r.list = l
	earlier := page
	if page == "-" {
		earlier = defaultPage
	}
	so, err := readPage(earlier)
	if err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	var broken error // items of which the others know nothing
	items := l.items()
	for i, it := range items {
		if !wanted.MatchString(it.title()) {
			continue
		}
		r.head = fmt.Sprintf("%d/%d %s", i+1, len(items), it.title())
		if err := r.item(ctx, it); ctx.Err() != nil {
			return context.Cause(ctx)
		} else if err != nil {
			r.end("%v", err)
			broken = errors.Join(broken, fmt.Errorf("%s: %w", it.title(), err))
		}
	}
	text, complaints, err := r.report(l, so)
	if err != nil {
		return err
	}
	if page == "-" {
		os.Stdout.Write(text)
	} else if err := os.WriteFile(page, text, 0o666); err != nil {
		return err
	}
	return errors.Join(append(complaints, broken)...)
}

// addPlatform takes a name of -platforms; for a guest it finds out the
// acceleration once for all items.
func (r *runner) addPlatform(ctx context.Context, name string) error {
	for i, p := range platforms {
		if p != name {
			continue
		}
		if i == onLinux {
			r.on[i] = true
			return nil
		}
		accel, reason, err := qemu.ChooseAccel(ctx, qemu.Auto, qemu.Machine(p), nil)
		if reason != "" {
			fmt.Fprintf(r.progress, "%s: no KVM, so TCG; yolk doctor tells why\n", p)
		}
		r.on[i], r.accel[i] = true, string(accel)
		return err
	}
	return fmt.Errorf("-platforms %q: want some of %v", name, platforms)
}

// prepare finds the toolchain and makes the directories.
func (r *runner) prepare(ctx context.Context) error {
	t, err := toolchain.Ensure(ctx, "", os.Stderr)
	if err != nil {
		return err
	}
	r.goVersion, _, _ = strings.Cut(t.Version, "-")
	if r.yolk, err = filepath.Abs(r.yolk); err != nil {
		return err
	}
	// The kernel's sources are in the yolk command.
	command, err := os.ReadFile(r.yolk)
	if err != nil {
		return fmt.Errorf("the yolk command: %w", err)
	}
	r.guestVersion = t.Version + " " + sum(command)
	if r.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no place for the results: %w; set HOME or XDG_CACHE_HOME", err)
		}
		r.dir = filepath.Join(cache, "yolk", "compatibility")
	}
	if r.dir, err = filepath.Abs(r.dir); err != nil {
		return err
	}
	for _, top := range []string{"/tmp/", "/proc/", "/dev/"} {
		if strings.HasPrefix(r.dir, top) {
			return fmt.Errorf("-dir %s: guests have a %s of their own; name a directory elsewhere", r.dir, top)
		}
	}
	if err := r.makeDirs(); err != nil {
		return err
	}
	// The runs of an item have the same paths everywhere, so it is one at a time.
	lock, err := os.OpenFile(filepath.Join(r.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%s is taken by another run of this command: %w; wait, or name another with -dir", r.dir, err)
	}
	r.lock = lock
	return nil
}

func (r *runner) makeDirs() error {
	for _, d := range []string{"results", "modules"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o777); err != nil {
			return err
		}
	}
	return nil
}

// begin prints the beginning of a line of progress: what is being done.
func (r *runner) begin(format string, args ...any) {
	fmt.Fprintf(r.progress, "%s, %s: ", r.head, fmt.Sprintf(format, args...))
	r.begun = true
}

// say prints how far it has come, with more to follow.
func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.progress, "%s, ", fmt.Sprintf(format, args...))
}

// end prints the end of a line.
func (r *runner) end(format string, args ...any) {
	if !r.begun {
		fmt.Fprintf(r.progress, "%s: ", r.head)
	}
	fmt.Fprintf(r.progress, "%s\n", strings.TrimSpace(fmt.Sprintf(format, args...)))
	r.begun = false
}
