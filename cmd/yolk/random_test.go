package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestGuestRandom boots machines with each source of random numbers alone, and
// with none.
func TestGuestRandom(t *testing.T) {
	needGuest(t)
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/random/main.go")
	if err != nil {
		t.Fatal(err)
	}
	layOut(t, dir, map[string]string{"go.mod": "module example.com/random\n\ngo 1.24\n", "main.go": string(source)})
	// The script leaves out what the test does not give.
	path := wrapQEMU(t, `
set -- "$@" end
while [ "$1" != end ]; do
	one=$1 two=$2
	shift
	case "$one $two" in
	"-cpu "*) shift; set -- "$@" -cpu "$TEST_CPU"; continue ;;
	"-fw_cfg name=opt/yolk/seed"*) if [ -z "$TEST_SEED" ]; then shift; continue; fi ;;
	"-device virtio-rng"*) if [ -z "$TEST_RNG" ]; then shift; continue; fi ;;
	esac
	set -- "$@" "$one"
done
shift
exec "$QEMU" "$@"`)
	seen := map[string]string{}
	for _, tt := range []struct {
		name, cpu, seed, rng string
		strong               bool
	}{
		{"rdrand", "max", "", "", true},
		{"seed", "max,-rdrand", "1", "", true},
		{"virtio-rng", "max,-rdrand", "", "1", true},
		{"none", "max,-rdrand", "", "", false},
		{"plain CPU", "qemu64", "", "", false},
	} {
		for _, machine := range machines {
			for i := range 2 {
				name := fmt.Sprintf("%s/%s/%d", tt.name, machine, i)
				cmd := yolkCommand(t, dir, "run", "-q", "--machine", machine, ".")
				cmd.Env = append(os.Environ(), "PATH="+path, "TEST_CPU="+tt.cpu, "TEST_SEED="+tt.seed, "TEST_RNG="+tt.rng)
				got := runCommand(t, cmd)
				lines := strings.Split(got.stdout, "\n")
				if tt.strong && (got.status != 0 || len(lines) != 4 || !strings.Contains(lines[1], "<nil>")) {
					t.Errorf("%s: status %d, output %q, errors %s", name, got.status, got.stdout, got.stderr)
				}
				if !tt.strong && (got.status != 2 || len(lines) != 3 || !strings.Contains(lines[1], "input/output error") ||
					!strings.Contains(got.stderr, "fatal error: crypto/rand") || !strings.Contains(got.stderr, "no strong source of random numbers")) {
					t.Errorf("%s: status %d, output %q, errors %s", name, got.status, got.stdout, got.stderr)
				}
				for _, line := range lines {
					number := line
					if line == "" || strings.Contains(line, "error") {
						continue
					}
					if other := seen[number]; other != "" {
						t.Errorf("%s: %q, as in %s", name, line, other)
					}
					seen[number] = name
				}
			}
		}
	}
}
