package docs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/docs/pages"
)

// sessions are sections whose commands are typed as they stand there, one after the
// other, and have to print what stands below them.
var sessions = []struct {
	page, section string
	dir           string // where they are typed; empty: where README.md has made its program
	only          string // begins those that are typed, if not all are; a regular expression
	// What a reader leaves running, to type what follows in another terminal.
	running string
	// What is another each time, as a regular expression.
	varies string
	says   string // a part of what is printed, where the page does not show it
}{
	{page: "README.md", section: "Try it", dir: ".", only: "make qemu +#", says: "14 of 14 steps ok"},
	{page: "README.md", section: "A server", dir: "."},
	{page: "docs/FILESYSTEM.md", section: "Disks", says: "Hello from the host."},
	{page: "examples/fileserver/README.md", section: "A directory over HTTP", dir: "examples/fileserver", running: "yolk run "},
	{page: "examples/notes/README.md", section: "Notes in a SQL database", dir: "examples/notes", running: "yolk run ",
		varies: `"changed":"[^"]*"`},
}

// inSession reports whether a command of a section is typed by TestGuestSessions.
func inSession(page, section, command string) bool {
	for _, s := range sessions {
		if s.page == page && s.section == section && regexp.MustCompile("^(?:"+s.only+")").MatchString(command) {
			return true
		}
	}
	return false
}

// prelude has curl ask until a server has begun, which a reader sees, and ends what runs
// when the session does.
const prelude = `set -e
curl() { command curl -sS --retry 600 --retry-all-errors --retry-delay 1 "$@" 2>curl.err; }
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
`

// TestGuestSessions types what pages say, and looks at what it prints.
func TestGuestSessions(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests; run by make test, or with YOLK_GUEST=1")
	}
	all := read(t)
	bin, program := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "yolk"), "../cmd/yolk").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The program that README.md writes, and its directory.
	write, _ := typed(all["README.md"], "A program of your own", "go mod|cat|mkdir|echo")
	run(t, bin, program, "set -e\n"+strings.Join(write, "\n"))
	for _, s := range sessions {
		t.Run(s.page+" "+s.section, func(t *testing.T) {
			dir := program
			if s.dir != "" {
				dir = filepath.Join(top, s.dir)
			}
			commands, want := typed(all[s.page], s.section, s.only)
			if len(commands) == 0 {
				t.Fatalf("%s has no commands below %q", s.page, s.section)
			}
			script, tmp := prelude, t.TempDir()
			for _, c := range commands {
				if s.running != "" && strings.HasPrefix(c, s.running) {
					c += " &"
				}
				script += c + "\n"
			}
			script = strings.ReplaceAll(script, "/tmp/", tmp+"/")
			script = strings.ReplaceAll(script, "2>curl.err", "2>"+tmp+"/curl.err")
			for _, port := range []string{"8080", "8443"} {
				script = strings.ReplaceAll(script, port, freePort(t))
			}
			got := run(t, bin, dir, script)
			if s.varies != "" {
				varies := regexp.MustCompile(s.varies)
				got, want = varies.ReplaceAllString(got, "…"), varies.ReplaceAllString(want, "…")
			}
			if s.says != "" && strings.Contains(got, s.says) {
				return
			}
			if got != want {
				t.Errorf("%s\nprinted\n%s\nand the page says\n%s", script, got, want)
			}
		})
	}
}

// typed returns those of a section's commands that begin with what only matches, and
// what they print.
func typed(p *pages.Page, section, only string) (commands []string, output string) {
	begins := regexp.MustCompile("^(?:" + only + ")")
	for _, b := range p.Blocks {
		if b.Section != section {
			continue
		}
		for _, c := range b.Commands() {
			if !begins.MatchString(c.Text) {
				continue
			}
			commands = append(commands, c.Text)
			output += c.Output
		}
	}
	return commands, output
}

// run runs a script with yolk in PATH, and returns what it prints. It has to end well.
func run(t *testing.T, bin, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GOFLAGS=", "MAKEFLAGS=YOLK="+filepath.Join(bin, "yolk"), "MAKELEVEL=") // as typed, by no make
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s\n%v\nprinted %s\nerrors %s", script, err, &stdout, &stderr)
	}
	return stdout.String()
}

// freePort returns a port that nobody listens at. It is none of those that connections
// of other tests may get in the meantime.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		port := fmt.Sprint(20000 + rand.IntN(10000))
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			l.Close()
			return port
		}
	}
}

// TestGuestExamples runs the Examples of packages that are for guests alone.
func TestGuestExamples(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests; run by make test, or with YOLK_GUEST=1")
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "yolk"), "../cmd/yolk").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out := run(t, bin, top, "yolk test -v -run '^Example' ./kernel")
	if !strings.Contains(out, "--- PASS: Example") {
		t.Error(out)
	}
}
