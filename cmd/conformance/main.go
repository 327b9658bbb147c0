// Command conformance runs the standard library's own tests on Linux and in
// guests of both machine types, compares them test by test, and writes the
// tables docs/conformance.md and, of the packages of the network,
// docs/conformance-network.md.
//
// What a package's tests said is kept in the user's cache, so that a run that
// was interrupted goes on where it stopped. Every test that passes on Linux
// and not in the guest needs a reason (reasons.go); without one the command
// fails.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

// judges are the packages whose tests count, those that have a page each.
var judges = map[string][]string{
	"conformance": strings.Fields(`os io/fs io/ioutil path/filepath embed/... bufio io testing/fstest
	text/template html/template archive/zip archive/tar compress/... encoding/... image/...
	go/build go/parser go/format mime debug/... log/... time sort strings bytes sync/... context
	runtime/debug`),
	"conformance-network": strings.Fields(`net net/http net/http/httptest net/http/httputil net/http/cookiejar net/http/pprof
	net/rpc net/smtp net/textproto net/mail net/netip net/url crypto/tls log/syslog expvar internal/poll vendor/golang.org/x/net/...`),
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	r := &runner{progress: os.Stderr}
	var page, out, only, machines string
	flag.StringVar(&page, "page", "conformance", "which packages: those of docs/conformance.md, or conformance-network")
	flag.StringVar(&out, "o", "", "file to write, if it is not docs/PAGE.md; - for standard output")
	flag.StringVar(&only, "only", "", "run only packages that match this `pattern` of go list; the others are taken from the cache")
	flag.StringVar(&machines, "machines", "linux,microvm,q35", "where to run tests; the others are taken from the cache")
	flag.StringVar(&r.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.BoolVar(&r.again, "again", false, "run tests even if the cache holds what they said, as after a change of Yolk that leaves the toolchain as it is")
	flag.DurationVar(&r.timeout, "timeout", 10*time.Minute, "limit for the tests of one package")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: no arguments are taken, only flags; see -help", flag.Arg(0))
	}

	if judges[page] == nil {
		return fmt.Errorf("-page %s: there is no such page", page)
	}
	if out == "" {
		out = filepath.Join("docs", page+".md")
	}

	t, err := toolchain.Ensure(ctx, "", os.Stderr)
	if err != nil {
		return err
	}
	if r.yolk, err = filepath.Abs(r.yolk); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("no place for the results: %w; set HOME or XDG_CACHE_HOME", err)
	}
	base, _, _ := strings.Cut(t.Version, "-")
	r.cache = filepath.Join(cache, "yolk", "conformance", t.Version)
	r.goVersion = base

	packages, err := list(ctx, base, judges[page]...)
	if err != nil {
		return err
	}
	wanted := packages
	if only != "" {
		if wanted, err = list(ctx, base, strings.Split(only, ",")...); err != nil {
			return err
		}
	}
	for _, name := range strings.FieldsFunc(machines, func(c rune) bool { return c == ',' }) {
		p, err := platformNamed(ctx, name)
		if err != nil {
			return err
		}
		if err := r.all(ctx, p, wanted); err != nil {
			return err
		}
	}
	return write(ctx, r, t, packages, out)
}

// write makes the report of what the cache holds.
func write(ctx context.Context, r *runner, t *toolchain.Toolchain, packages []string, out string) error {
	stock, err := stockRoot(ctx, r.goVersion)
	if err != nil {
		return err
	}
	rep := &report{version: r.goVersion, sources: &sources{stock: stock, port: t.Root}}
	for _, name := range packages {
		p := pkg{name: name}
		for i, where := range platforms {
			if p.results[i], err = r.cached(where, name); err != nil {
				return err
			}
		}
		rep.packages = append(rep.packages, p)
	}
	var text bytes.Buffer
	complaints, err := rep.write(&text)
	if err != nil {
		return err
	}
	if out == "-" {
		os.Stdout.Write(text.Bytes())
	} else if err := os.WriteFile(out, text.Bytes(), 0o666); err != nil {
		return err
	}
	return errors.Join(complaints...)
}

// platformNamed checks a name of --machines; for a guest it finds out the
// acceleration once for all packages.
func platformNamed(ctx context.Context, name string) (*platform, error) {
	for _, p := range platforms {
		if p != name {
			continue
		}
		if p == onLinux {
			return &platform{name: p}, nil
		}
		accel, reason, err := qemu.ChooseAccel(ctx, qemu.Auto, qemu.Machine(p), nil)
		if reason != "" {
			fmt.Fprintf(os.Stderr, "%s: no KVM (%s)\n", p, reason)
		}
		return &platform{name: p, accel: string(accel)}, err
	}
	return nil, fmt.Errorf("--machines %q: want some of %v", name, platforms)
}

// list expands patterns with the go command of the given version.
func list(ctx context.Context, version string, patterns ...string) ([]string, error) {
	out, err := goCommand(ctx, version, append([]string{"list", "--"}, patterns...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(out)), nil
}

func stockRoot(ctx context.Context, version string) (string, error) {
	out, err := goCommand(ctx, version, "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goCommand is the stock go command of the version that the port was made
// from.
func goCommand(ctx context.Context, version string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+version, "GOFLAGS=")
	cmd.Stderr = os.Stderr
	return cmd
}
