package docs_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/docs/pages"
)

// told says of commands on the pages, other than those of the sessions, which test does
// the same, or why nothing does.
var told = []struct {
	page    string // a pattern of path.Match
	command string // a regular expression, for the whole first line
	test    string // the directory and name of a test
	because string // else, why there is none
}{
	// What runs everything, or is run by what runs the tests.
	{"README.md", `make test .*`, "", "it runs this test"},
	{"README.md", `make qemu`, "", "it is the command of the section below, which is run"},
	{"README.md", `make qemu MACHINE=q35 .*`, "", "it is the command above it with another machine, on which make test runs the demo's tests"},
	{"docs/HOSTS.md", `make test-\w+|\.ci/chroot .*`, "", "makes a Debian and takes an hour, as root"},
	{"docs/COMPATIBILITY.md", `make compatibility .*|go run \./cmd/compatibility .*`, "", "builds the programs of others for hours"},
	{"docs/instructions.md", `make count .*|go run \./cmd/bench/count .*`, "", "make test runs it with -check instead, which writes no page"},

	{"docs/latency.md", `go run \./cmd/bench/latency .*`, "", "boots twenty-four guests, of Linux and of Yolk, for minutes; its test writes the page from made-up rows"},
	{"docs/scale.md", `go run \./cmd/bench/cpus .*`, "", "boots a guest of 16 processors and counts for minutes; its test writes the page from made-up rows"},

	// What tests of other packages take from the page, or do in the same way.
	{"README.md", `go mod init .*|cat >main.go .*|mkdir -p site/pages|echo 'Hello .*|yolk run -q --root \./site \.|yolk run -q github.com/mikefarah/yq.*`, "cmd/yolk TestGuestREADME", ""},
	{"docs/IMAGES.md", `yolk build -o hello .*|qemu-system-x86_64 .*`, "cmd/yolk TestGuestImagesPage", ""},
	{"docs/IMAGES.md", `yolk image -o hello.*|mkdir tftp .*`, "cmd/yolk TestGuestDiskExamples", ""},
	{"docs/DEPLOYMENT.md", `cd .*|yolk bundle .*|notes/start & server=\$!|curl -sS .*|kill \$server .*`, "cmd/yolk TestGuestDeploymentPage", ""},
	{"docs/DEPLOYMENT.md", `docker (load|run) .*`, "cmd/yolk TestGuestBundleContainer", ""},
	{"docs/DEPLOYMENT.md", `docker (tag|push) .*|kubectl .*|nomad .*`, "", "takes a registry and a cluster; cmd/yolk/internal/manifest/schematest decodes the files"},
	{"docs/ARCHITECTURE.md", `yolk build -o app \.|qemu-system-x86_64 .*`, "cmd/yolk TestGuestPlainQEMU", ""},
	{"docs/guides/README.md", `make deps toolchain|export PATH=.*`, "", "make test begins with it"},
	{"docs/DEBUGGING.md", `yolk debug \.`, "cmd/yolk TestGuestDebug", ""},
	{"docs/DEBUGGING.md", `yolk debug --listen :1234 \.`, "cmd/yolk TestGuestDebugListen", ""},
	{"docs/DEBUGGING.md", `yolk debug --debugger-arg=-batch .*`, "cmd/yolk TestGuestDebug", ""},
	{"docs/DEBUGGING.md", `yolk debug --debugger dlv .*`, "cmd/yolk TestGuestDelve", ""},
	{"docs/DEBUGGING.md", `yolk tree --root site`, "cmd/yolk TestGuestInspect", ""},
	{"docs/DEBUGGING.md", `yolk top server`, "cmd/yolk TestGuestTop", ""},
	{"docs/NETWORK.md", `yolk run -p 8080:80 .* ./examples/fileserver`, "examples TestGuestFileserver", ""},
	{"docs/OPERATION.md", `yolk run --detach .*|yolk (ps|logs|stop|rm)\b.*`, "cmd/yolk TestGuestDetached", ""},
	{"docs/TRACING.md", `yolk run .*`, "cmd/yolk TestGuestTrace", ""},
	{"docs/RUNTIME.md", `yolk run --profile cpu\.prof .*|go tool pprof -top cpu\.prof`, "cmd/yolk TestGuestProfile", ""},
	{"docs/RUNTIME.md", `yolk run --lock-profile locks\.prof .*|go tool pprof -top -sample_index=.* locks\.prof`, "cmd/yolk TestGuestLockProfile", ""},
	{"docs/TOOLCHAIN.md", `yolk toolchain --into .*|TAMAGO=.*`, "", "builds a toolchain for minutes"},
	{"examples/database/README.md", `cd .*|mkdir .*|yolk run .*|sleep 3; .*|wait .*|head .*|go run \. .*|ls .*`, "examples TestDatabaseKilled", ""},
	{"examples/database/README.md", `YOLK_GUEST=1 go test .*`, "", "it is the test that make test runs"},
	{"labs/README.md", `make -C labs/1 check`, "labs/check TestLightPage", ""},
	{"labs/1/README.md", `git clone .*|cd yolk/labs/1`, "", "the test is in a clone"},
	{"labs/1/README.md", `make check|make run`, "labs/check TestLightPage", ""},
	{"labs/[2-6]/README.md", `make -C labs/\d check`, "labs/check TestSolutions", ""},
	{"labs/6/README.md", `make -C labs/6 run &|echo hello .*`, "labs/check TestSolutions", ""},
	{"labs/INSTRUCTOR.md", `git clone .*|make deps .*|make toolchain .*`, "", "make test begins with it"},
	{"labs/INSTRUCTOR.md", `make -C labs/1 check|make -C labs/2 run`, "labs/check TestSkeletons", ""},
	{"labs/INSTRUCTOR.md", `bin/yolk toolchain --into .*|chmod .*|echo 'export .*`, "", "sets up a machine for many, as root"},
	{"labs/INSTRUCTOR.md", `go run \./labs/mark .*`, "labs/mark TestMark", ""},
}

// TestCommands: each command on the pages is run by a test, or it is said why not.
func TestCommands(t *testing.T) {
	all := read(t)
	used := make([]bool, len(told))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, b := range all[name].Blocks {
		commands:
			for _, c := range b.Commands() {
				if inSession(name, b.Section, c.Text) || isGuide(name) {
					continue
				}
				line, _, _ := strings.Cut(c.Text, "\n")
				for i, e := range told {
					if ok, _ := path.Match(e.page, name); ok && regexp.MustCompile("^(?:"+e.command+")$").MatchString(line) {
						used[i] = true
						continue commands
					}
				}
				t.Errorf("%s:%d: no test runs\n\t%s\nAdd its section to sessions in docs/sessions_test.go, or a line to told in docs/commands_test.go: "+
					"the test that does the same, or why there is none.", name, c.Line, c.Text)
			}
		}
	}
	for i, e := range told {
		if !used[i] {
			t.Errorf("told has a line for %s, where no command (outside sessions) matches %s", e.page, e.command)
		}
		if (e.test == "") == (e.because == "") {
			t.Errorf("told: %s, %s: either a test or a reason", e.page, e.command)
		}
		if dir, test, _ := strings.Cut(e.test, " "); test != "" && !hasTest(t, dir, test) {
			t.Errorf("told: %s, %s: there is no %s in %s", e.page, e.command, test, dir)
		}
	}
}

// hasTest reports whether a directory's tests have one of this name.
func hasTest(t *testing.T, dir, test string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(top, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

// TestMakeAndGoRun: what pages have make do it has a rule for, and what they have go run
// is a package that knows these flags.
func TestMakeAndGoRun(t *testing.T) {
	word := regexp.MustCompile(`^(-C|[\w./-]+|[A-Z]+=\S*)$`)
	checked := map[string]error{}
	for name, p := range read(t) {
		lines := slices.Clone(p.Code)
		for _, b := range p.Blocks {
			for _, c := range b.Commands() {
				lines = append(lines, pages.Span{Text: c.Text, Line: c.Line})
			}
		}
		for _, s := range lines {
			fields := strings.Fields(s.Text)
			if i := slices.IndexFunc(fields, func(f string) bool { return !word.MatchString(f) }); i >= 0 && fields[0] == "make" {
				fields = fields[:i] // a comment, a redirection, an ampersand
			}
			if isGuide(name) { // it makes packages, and all of it is typed
				continue
			}
			if len(fields) < 2 || fields[0] != "make" && fields[0]+fields[1] != "gorun" {
				continue
			}
			dir := top
			if strings.HasPrefix(name, "labs/") && (fields[1] == "check" || fields[1] == "run") {
				dir = filepath.Join(top, "labs/1") // in each of them, as the pages have it
			}
			command := strings.Join(append([]string{dir}, fields...), " ")
			if _, ok := checked[command]; !ok && fields[0] == "make" {
				cmd := exec.Command("make", append([]string{"-n"}, fields[1:]...)...)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err != nil {
					err = fmt.Errorf("%w: %s", err, out)
				}
				checked[command] = err
			} else if !ok && len(fields) > 2 {
				checked[command] = knowsFlags(fields[2], fields[3:])
			}
			if err := checked[command]; err != nil {
				t.Errorf("%s:%d: %s: %v", name, s.Line, s.Text, err)
			}
		}
	}
	if len(checked) < 15 {
		t.Errorf("only %d commands of make were found", len(checked))
	}
}

// TestGoDoc: what pages have go doc show is there.
func TestGoDoc(t *testing.T) {
	found := 0
	for name, p := range read(t) {
		for _, s := range p.Code {
			args := strings.Fields(s.Text)
			if len(args) < 3 || args[0] != "go" || args[1] != "doc" {
				continue
			}
			found++
			cmd := exec.Command("go", args[1:]...)
			cmd.Dir = top
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %s: %v: %s", name, s.Line, s.Text, err, out)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d commands of go doc were found", found)
	}
}

// knowsFlags looks for a package's flags in its source.
func knowsFlags(pkg string, args []string) error {
	names, err := filepath.Glob(filepath.Join(top, pkg, "*.go"))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("there is no package %s", pkg)
	}
	var source strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		source.Write(text)
	}
	for _, arg := range args {
		flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && !strings.Contains(source.String(), `"`+flag+`"`) {
			return fmt.Errorf("%s has no flag -%s", pkg, flag)
		}
	}
	return nil
}
