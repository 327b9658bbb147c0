package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGuestAccess opens standard streams in ways that are not the usual ones, by a shell,
// and asks a program what the three of them take: the same in a guest as on this machine.
func TestGuestAccess(t *testing.T) {
	onMachines(t, func(t *testing.T, dir, machine string) {
		root := sharedDir(t)
		host := filepath.Join(dir, "host")
		build := exec.Command("go", "build", "-o", host, ".")
		build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		yolk, err := yolkBinary()
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{
			`0>out`, `0>>out 1>&0 2>&0`, `0<.`, `0<&-`, `1>&-`, `0<in`, `1<in`, `1<in 2<in`, `0</dev/null 1<>/dev/null`,
		} {
			t.Run(how, func(t *testing.T) {
				var reports, outs [2]string
				for i, command := range []string{
					`REPORT=report exec ./host access`,
					`exec "$YOLK" run -q --timeout 300s --machine ` + machine + ` --root "$ROOT" --env REPORT=/report . access`,
				} {
					layOut(t, dir, map[string]string{"in": "0123456789", "out": ""})
					report := filepath.Join([]string{dir, root}[i], "report")
					os.Remove(report)
					cmd := exec.Command("sh", "-c", command+" "+how)
					cmd.Dir, cmd.Env = dir, append(os.Environ(), "YOLK="+yolk, "ROOT="+root)
					if said, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%s: %v: %s", command, err, said)
					}
					text, err := os.ReadFile(report)
					if err != nil {
						t.Error(err)
					}
					out, err := os.ReadFile(filepath.Join(dir, "out"))
					if err != nil {
						t.Error(err)
					}
					reports[i], outs[i] = string(text), serverNote.ReplaceAllString(string(out), "")
				}
				if reports[1] != reports[0] || outs[1] != outs[0] {
					t.Errorf("in a guest, with %q written:\n%s\nhere, with %q:\n%s", outs[1], reports[1], outs[0], reports[0])
				}
			})
		}
	})
}
