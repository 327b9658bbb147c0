package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/docs/pages"
)

// examples returns what a section of a page has a reader type, as a script for sh, and
// what it prints.
func examples(t *testing.T, file, section string) (script, output string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range pages.Parse(file, text).Blocks {
		if b.Section != section {
			continue
		}
		for _, c := range b.Commands() {
			script += c.Text + "\n"
			output += c.Output
		}
	}
	if script == "" {
		t.Fatalf("%s has no commands below %q", file, section)
	}
	return script, output
}

// typeIn runs a script in an empty directory, with yolk in PATH.
func typeIn(t *testing.T, script string) result {
	t.Helper()
	yolk, err := yolkBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(yolk)+":"+os.Getenv("PATH"), "GOFLAGS=")
	return runCommand(t, cmd)
}

// The README's program works as it stands there.
func TestGuestREADME(t *testing.T) {
	needGuest(t)
	script, want := examples(t, "../../README.md", "A program of your own")
	if !strings.Contains(script, "go mod init") || !strings.Contains(script, "yolk run") || want == "" {
		t.Fatalf("script %q, output %q", script, want)
	}
	got := typeIn(t, "set -e\n"+script)
	if got.status != 0 || got.stdout != want {
		t.Errorf("status %d, printed %q, want %q; errors %s", got.status, got.stdout, want, got.stderr)
	}
}

// docs/IMAGES.md puts the README's program and its root into an image.
func TestGuestImagesPage(t *testing.T) {
	needGuest(t)
	program, _ := examples(t, "../../README.md", "A program of your own")
	program, _, ok := strings.Cut(program, "\nyolk run")
	const want = "[- hello.txt] <nil>\nHello from the host.\n"
	script, _ := examples(t, "../../docs/IMAGES.md", "Images")
	build, qemu, two := strings.Cut(script, "\nqemu-")
	if !ok || !two {
		t.Fatalf("script %q after %q", script, program)
	}
	got := typeIn(t, "set -e\n"+program+"\n"+build+"\nrm -r site\ntimeout 600 qemu-"+qemu)
	if got.status != 1 || !strings.Contains(strings.ReplaceAll(got.stdout, "\r", ""), want) {
		t.Errorf("status %d, printed %q, want %q at its end; errors %s", got.status, got.stdout, want, got.stderr)
	}
}

// docs/DEPLOYMENT.md bundles examples/notes, and runs it on a host.
func TestGuestDeploymentPage(t *testing.T) {
	needGuest(t)
	notes, err := filepath.Abs("../../examples/notes")
	if err != nil {
		t.Fatal(err)
	}
	bundle, _ := examples(t, "../../docs/DEPLOYMENT.md", "The bundle")
	host, want := examples(t, "../../docs/DEPLOYMENT.md", "One host")
	if !strings.Contains(bundle, "yolk bundle -o") || !strings.Contains(host, "notes/start") || want == "" {
		t.Fatalf("scripts %q and %q, output %q", bundle, host, want)
	}
	for try := 0; ; try++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		l.Close()
		const first = "set -e\nexport no_proxy='*'\ntrap 'kill $server 2>/dev/null || :' EXIT\n"
		got := typeIn(t, first+"mkdir examples\ncp -r "+notes+" examples\n"+strings.ReplaceAll(bundle+host, "8080", port))
		if try < 5 && strings.Contains(got.stderr, "in use") {
			continue // somebody else was faster
		}
		if got.status != 0 || got.stdout != want {
			t.Errorf("status %d, printed %q, want %q; errors %s", got.status, got.stdout, want, got.stderr)
		}
		return
	}
}

// An image ends in a QEMU that is started by hand, on both machines, with and
// without a device that takes the status. Without a host there are roots of trust and
// time zones all the same. Of a network card that QEMU adds, and that has
// no driver, the log tells.
func TestGuestPlainQEMU(t *testing.T) {
	needGuest(t)
	script, _ := examples(t, "../../docs/ARCHITECTURE.md", "Without the launcher")
	const program = "cat >go.mod <<'END'\nmodule example.com/app\n\ngo 1.24\nEND\n" +
		"cat >main.go <<'END'\npackage main\n\nimport (\n\t\"crypto/x509\"\n\t\"os\"\n\t\"time\"\n)\n\nfunc main() {\n" +
		"\troots, err := x509.SystemCertPool()\n\tzone, err2 := time.LoadLocation(\"Asia/Kathmandu\")\n" +
		"\tprintln(\"roots\", err == nil && !roots.Equal(x509.NewCertPool()))\n" +
		"\tif err2 == nil {\n\t\tprintln(\"zone\", time.Unix(1e9, 0).In(zone).Format(\"15:04 -0700\"))\n\t}\n\tos.Exit(5)\n}\nEND\n"
	build, qemu, ok := strings.Cut(script, "\nqemu-")
	if !ok {
		t.Fatalf("no QEMU in %q", script)
	}
	qemu = "timeout 300 qemu-" + qemu // for a machine that hangs
	const device = " -device isa-debug-exit,iobase=0xf4,iosize=4"
	for _, tt := range []struct {
		name, old, new string
		status         int
		says           string
	}{
		{"microvm", "", "", 11, ""},
		{"q35", "microvm,rtc=on", "q35", 11, "no network: no driver for 00:02.0 Ethernet controller"},
		{"microvm without a device for the status", device, "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(qemu, tt.old) {
				t.Fatalf("no %q in %q", tt.old, qemu)
			}
			got := typeIn(t, program+build+"\n"+strings.Replace(qemu, tt.old, tt.new, 1))
			if got.status != tt.status || !strings.Contains(got.stdout, "roots true") || !strings.Contains(got.stdout, "zone 07:31 +0545") || !strings.Contains(got.stdout, tt.says) {
				t.Errorf("status %d, want %d; printed %q, errors %q", got.status, tt.status, got.stdout, got.stderr)
			}
		})
	}
}
