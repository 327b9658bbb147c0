package yolk

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFuzzScript: .ci/fuzz fails for each finding, and not for the end of the time, which
// go test may take for one.
func TestFuzzScript(t *testing.T) {
	const progress = "fuzz: elapsed: 20s, execs: 17605 (1505/sec), new interesting: 15 (total: 39)\n"
	for _, c := range []struct {
		output     string // of go test
		fails, bad bool
	}{
		{progress + "PASS\nok  \tp\t20.1s\n", false, false},
		{progress + "--- FAIL: FuzzX (20.02s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tp\t20.039s\n", true, false},
		{progress + "--- FAIL: FuzzX (20.02s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:5: context deadline exceeded\n    \n    Failing input written to testdata/fuzz/FuzzX/5838cdfae7b16cde\nFAIL\n", true, true},
		{progress + "--- FAIL: FuzzX (20.02s)\n    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzX/5838cdfae7b16cde\nFAIL\n", true, true},
		{progress + "--- FAIL: FuzzX (20.02s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\nFAIL\n", true, true},
		{"# p\n./x.go:3:1: syntax error\nFAIL\tp [build failed]\n", true, true},
	} {
		dir := t.TempDir()
		script := "#!/bin/sh\ncat <<'END'\n" + c.output + "END\n"
		if c.fails {
			script += "exit 1\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(".ci/fuzz", "--one", "fs/FuzzX", "20s")
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); (err != nil) != c.bad {
			t.Errorf("%v with\n%s\nit prints\n%s", err, c.output, out)
		}
	}
}
