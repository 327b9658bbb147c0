package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// testMemory is the memory of a guest that runs tests, where --mem says
// nothing else.
const testMemory = "1G"

func testCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "test [options of the guest and flags of go test] [PKG...]",
		Short: "go test, with the test binary of each package booted in a guest",
		Long: `Test runs go test with its flags, its output and its verdict. The guest has the
host's root directory as its own, and the package's directory as its working
directory. With --root it has another root, and of the host the package's module
alone. The options of the guest may stand anywhere before -args:

` + guestUsage(),
		Example:            "  yolk test ./...\n  yolk test -run TestFoo -v ./pkg --machine q35 --cpus 2",
		DisableFlagParsing: true,
		ValidArgsFunction:  completeTest,
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, args, err := splitGuestFlags(args)
			if errors.Is(err, pflag.ErrHelp) {
				return cmd.Help()
			}
			if err != nil {
				return err
			}
			f, err := parseGuestFlags(settings)
			if err != nil {
				return fmt.Errorf("%w; yolk test --help lists the options", err)
			}
			return runTests(cmd, f, args)
		},
	}
}

// runTests runs go test on the arguments, each test binary in a guest.
func runTests(cmd *cobra.Command, f *options.Guest, args []string) error {
	ctx := cmd.Context()
	o := &qemu.Options{Dir: "/"}
	if err := f.Fill(o, "/"); err != nil {
		return err
	}
	if err := options.Check(o, options.Carried{}); err != nil {
		return err
	}
	if err := openNetwork(&o.Network, io.Discard); err != nil { // to see whether it can be had
		return err
	}
	closeNetwork(&o.Network)
	if _, err := f.Env.Environment(nil); err != nil {
		return err
	}
	if err := accelerate(ctx, o, os.Stderr); err != nil {
		return err
	}
	if err := f.Decide(o.Accel); err != nil {
		return err
	}
	b, dir, err := builder(ctx, o.Trace)
	if err != nil {
		return err
	}
	defer dir.Remove()
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := b.Test(ctx, wd, quoteExec([]string{self, execCommand}), args)
	if err != nil {
		return err
	}
	settings, err := newTestSettings(f, dir.Path, options.ReplacedEnv(os.Environ(), c.Env))
	if err != nil {
		return err
	}
	c.Env = append(c.Env, settings)
	return foreground(ctx, c, f.Verbose)
}

// guestSet is the set of the options of a guest that runs tests.
func guestSet(f *options.Guest) *pflag.FlagSet {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	set.SortFlags = false
	f.Add(set, testMemory, "")
	set.BoolVar(&f.Verbose, "verbose", false, "show the commands that are run")
	return set
}

func guestUsage() string {
	return strings.TrimRight(guestSet(&options.Guest{}).FlagUsages(), "\n")
}

func parseGuestFlags(args []string) (*options.Guest, error) {
	f := &options.Guest{}
	return f, guestSet(f).Parse(args)
}

// refusedTestFlags are the flags of go test that cannot work with guests.
var refusedTestFlags = map[string]string{
	"exec": "yolk itself runs the test binaries, in guests",
	"race": "there is no race detector in the guest; test with go test -race on the host",
	"fuzz": "the guest starts no processes to fuzz in; fuzz with go test -fuzz on the host",
	"msan": "there is no C in the guest",
	"asan": "there is no C in the guest",
	"C":    "change to the directory before: cd DIR && yolk test",
}

// testValues are the flags of go test that take a value, which may look like
// anything.
var testValues = strings.Fields("asmflags bench benchtime blockprofile blockprofilerate buildmode compiler count " +
	"covermode coverpkg coverprofile cpu cpuprofile fuzzminimizetime fuzztime gcflags installsuffix ldflags list " +
	"memprofile memprofilerate mod modfile mutexprofile mutexprofilefraction o outputdir overlay p parallel pgo pkgdir run shuffle " +
	"skip tags timeout toolexec trace vet")

// splitGuestFlags takes the guest's options, with two dashes each, out of the
// arguments of go test.
func splitGuestFlags(args []string) (guest, rest []string, err error) {
	set := guestSet(&options.Guest{})
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		flag := set.Lookup(name)
		switch {
		case !strings.HasPrefix(args[i], "-"):
			rest = append(rest, args[i])
			continue
		case name == "args" || args[i] == "--":
			return guest, append(rest, args[i:]...), nil
		case name == "h" || name == "help":
			return nil, nil, pflag.ErrHelp
		case refusedTestFlags[name] != "" && value != "false":
			return nil, nil, fmt.Errorf("-%s: %s", name, refusedTestFlags[name])
		case flag != nil:
			guest = append(guest, "-"+"-"+strings.TrimLeft(args[i], "-"))
			if !joined && flag.NoOptDefVal == "" && i+1 < len(args) {
				i++
				guest = append(guest, args[i])
			}
		default:
			rest = append(rest, args[i])
			if !joined && slices.Contains(testValues, strings.TrimPrefix(name, "test.")) && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
		}
	}
	return guest, rest, nil
}

// settingsVar is the environment variable by which yolk test tells exec-test
// what guests to boot.
const settingsVar = "YOLK_EXEC_TEST"

// testSettings is its value, as JSON.
type testSettings struct {
	Guest   []string // options of the guest
	Scratch string   // directory where go test keeps its files

	// Environ is what go test has another value for than the test is to see,
	// which has it as yolk found it: NAME=VALUE, or NAME of what was not set.
	Environ []string
}

// newTestSettings makes the setting that exec-test reads, which runs in another directory.
func newTestSettings(f *options.Guest, scratch string, environ []string) (string, error) {
	words, err := f.Words()
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(testSettings{words, scratch, environ})
	return settingsVar + "=" + string(data), err
}

// completeTest completes the options of the guest among the arguments of go
// test; all else are packages and files.
func completeTest(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	set := guestSet(&options.Guest{})
	if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "--") {
		if flag := set.Lookup(name[2:]); flag != nil {
			words, directive := options.CompleteValue(flag, cmd, value)
			for i := range words {
				words[i] = name + "=" + words[i]
			}
			return words, directive
		}
	}
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1], "--") {
		if flag := set.Lookup(args[n-1][2:]); flag != nil && flag.NoOptDefVal == "" {
			return options.CompleteValue(flag, cmd, word)
		}
	}
	if !strings.HasPrefix(word, "-") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var options []string
	set.VisitAll(func(f *pflag.Flag) {
		if option := "--" + f.Name; strings.HasPrefix(option, word) {
			options = append(options, option+"\t"+f.Usage)
		}
	})
	return options, cobra.ShellCompDirectiveNoFileComp
}

// quoteExec joins words for go test's -exec, which splits at spaces outside
// quotes.
func quoteExec(words []string) string {
	for i, w := range words {
		if strings.ContainsAny(w, " \t\n'\"") {
			q := "'"
			if strings.Contains(w, "'") {
				q = `"`
			}
			words[i] = q + w + q
		}
	}
	return strings.Join(words, " ")
}
