package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	markdown "github.com/yolkos/yolk/docs/pages"
)

// done is what a lab's page says that make run shows of a program that is right: part of the
// page, and a regular expression for all that is shown. Lab 6 has nothing to show.
var done = map[int]struct{ says, shows string }{
	1: {"", `Let there be light\.\n\[the machine halted in start \(0x[0-9a-f]+\), 64-bit mode\]\n`},
	2: {"`make run` prints eight functions on two buses", `(00:[0-9a-f]{2}\.\d .*\n){4}01:00\.0 .*\n(00:1f\.\d .*\n){3}`},
	3: {"`make run` prints 16 bytes, others each time", `.*:( [0-9a-f]{2}){16}\n`},
	4: {"`make run` shows a letter", `(?:yolk: built-in virtio-fs server in use: .*\n)?.*: You have read this with messages that you wrote yourself\.\n`},
	5: {"`make run` walks 27, 82, 41, 124, 62", `(?s).*/27,.*/82,.*/41,.*/124,.*/62,.*`},
}

// TestRuns: a lab that is done shows what its page says.
func TestRuns(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests: set YOLK_GUEST=1")
	}
	var err error
	if yolk, err = yolkBinary(); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	for _, n := range slices.Sorted(maps.Keys(done)) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			page, err := os.ReadFile(fmt.Sprintf("labs/%d/README.md", n))
			if err != nil || !strings.Contains(strings.Join(strings.Fields(string(page)), " "), done[n].says) {
				t.Errorf("the page does not say %q: %v", done[n].says, err)
			}
			var shown strings.Builder
			if err := labs[n].boot(labs[n], fmt.Sprintf("labs/solutions/%d", n), &shown); err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile("^(?:" + done[n].shows + ")$").MatchString(shown.String()) {
				t.Errorf("make run shows\n%s\nand should %s", &shown, done[n].shows)
			}
		})
	}
}

// TestLightPage types what the page of lab 1 has a student type, and compares what is printed with what stands
// there: with the skeleton, and with the solution in its place.
func TestLightPage(t *testing.T) {
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots a guest: set YOLK_GUEST=1")
	}
	source, err := os.ReadFile("../1/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var check, run string // what is printed by make check of the skeleton, and by make run at the end
	for _, b := range markdown.Parse("labs/1/README.md", source).Blocks {
		if strings.HasPrefix(b.Text, "Lab 1: ") {
			check = b.Text
		}
		if _, rest, ok := strings.Cut(b.Text, "$ make run\n"); ok {
			run = rest
		}
	}
	typed := func(overlay string, args ...string) (string, error) {
		cmd := exec.Command("make", append([]string{"-s", "--no-print-directory"}, args...)...)
		cmd.Dir = "../1"
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "GOFLAGS="+overlay)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil && len(out) == 0 {
			t.Fatalf("make %q: %v: %s", args, err, &stderr)
		}
		return string(out), err
	}
	if got, err := typed("", "check"); err == nil || got != check {
		t.Errorf("make check: %v, prints\n%s\nand the page says\n%s", err, got, check)
	}
	replaced := map[string]string{}
	for _, name := range []string{"entry_amd64.s", "light.go"} {
		replaced[absolute(t, "../1/"+name)] = absolute(t, "../solutions/1/"+name)
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`0x[0-9a-f]+`)
	if got, err := typed("-overlay="+overlay, "run"); err != nil || run == "" || address.ReplaceAllString(got, "") != address.ReplaceAllString(run, "") {
		t.Errorf("make run: %v, prints\n%s\nand the page says\n%s", err, got, run)
	}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
