package image

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestSplitTestArgs(t *testing.T) {
	for _, tt := range []struct{ args, flags, packages, rest string }{
		{"", "", ".", ""},
		{"./...", "", "./...", ""},
		{"-v -run X os io", "-v -run X", "os io", ""},
		{"--run=X os -v", "--run=X", "os", "-v"},
		{"-test.v -count 1 os -args -x y", "-test.v -count 1", "os", "-args -x y"},
		{"-short -args a", "-short", ".", "-args a"},
		{"-v -- os", "-v", "os", ""},
		{"-timeout", "-timeout", ".", ""},
		{"-v os -tags x -run Y -mod=mod -args -tags z", "-v -tags=x -mod=mod", "os", "-run Y -args -tags z"},
	} {
		flags, packages, rest := splitTestArgs(strings.Fields(tt.args))
		got := []string{strings.Join(flags, " "), strings.Join(packages, " "), strings.Join(rest, " ")}
		if want := []string{tt.flags, tt.packages, tt.rest}; !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", tt.args, got, want)
		}
	}
}

// TestTest runs go test on the machine itself by a wrapper that says when it
// is used. The package errors is one that every kernel needs.
func TestTest(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small tests")
	}
	b, tree := hosted(t), t.TempDir()
	layOut(t, tree, map[string]string{
		"go.mod":           "module example.com/m\n\ngo 1.22\n",
		"in/in.go":         "package in\n",
		"in/in_test.go":    "package in\n\nimport \"testing\"\n\nfunc TestIn(t *testing.T) {}\n",
		"out/out.go":       "package out\n",
		"out/out_test.go":  "package out_test\n\nimport \"testing\"\n\nfunc TestOut(t *testing.T) { t.Error(\"no\") }\n",
		"none/none.go":     "package none\n",
		"prog/main.go":     plain,
		"prog/one_test.go": "package main\n\nimport \"testing\"\n\nfunc TestMain(t *testing.T) {}\n",
	})
	lock(t, tree)
	cmd, err := b.Test(context.Background(), tree, "env BOOTED=1", strings.Fields("-v -count 1 -run Test(In|Out|Main|Join)$ ./... errors"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
	c.Dir, c.Env = cmd.Dir, cmd.Env
	out, err := c.CombinedOutput()
	if err == nil {
		t.Error("a failing test went unnoticed")
	}
	for _, want := range []string{
		"kernel\n=== RUN   TestIn", "ok  \texample.com/m/in", "kernel\n=== RUN   TestOut", "FAIL\texample.com/m/out",
		"?   \texample.com/m/none\t[no test files]", "ok  \texample.com/m/prog", "kernel\n=== RUN   TestJoin", "ok  \terrors",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in the output", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

// TestTestFiles names the files of a test, which are then all there is of its package.
func TestTestFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small tests")
	}
	b, tree := hosted(t), t.TempDir()
	const body = "\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n"
	layOut(t, tree, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.22\n", "broken.go": "package m\n\nfunc {\n",
		"in_test.go": "package m" + body, "out_test.go": "package m_test" + body, "sub/sub.go": "package sub\n", "sub/sub_test.go": "package sub" + body,
	})
	for _, files := range []string{"in_test.go", "out_test.go", "./sub/sub_test.go sub/sub.go"} {
		cmd, err := b.Test(context.Background(), tree, "env BOOTED=1", strings.Fields("-v -count 1 "+files))
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
		c.Dir, c.Env = cmd.Dir, cmd.Env
		if out, err := c.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "kernel\n=== RUN   TestIt") {
			t.Errorf("%s: %v\n%s", files, err, out)
		}
	}
}

func TestGo(t *testing.T) {
	b, tree := hosted(t), t.TempDir()
	layOut(t, tree, map[string]string{"go.mod": "module example.com/m\n\ngo 1.22\n", "m.go": plain})
	for _, tt := range []struct{ args, want string }{
		{"list -deps " + kernelPackage, kernelPackage + "\n"},
		{"env GOFLAGS", ""},
		{"mod edit -json", "example.com/m"},
	} {
		cmd, err := b.Go(context.Background(), tree, strings.Fields(tt.args))
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
		c.Dir, c.Env = cmd.Dir, cmd.Env
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("go %s: %s (%v), want %q", tt.args, out, err, tt.want)
		}
	}
}
