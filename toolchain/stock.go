package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/toolchain/group"
)

// The line of Go that the edits fit, its first release that does, and the
// release that is fetched when the machine's Go is another.
const (
	stockLine    = "go1.26."
	stockMinimum = 4
	stockFetched = "go1.26.8"
)

// stock is the Go distribution that the toolchain is made from.
type stock struct {
	Root    string // GOROOT
	Go      string // its go command
	Version string // for example go1.26.8
	Host    string // for example linux_amd64
}

// findStock returns the machine's Go when it is of the right line, else the
// one that the machine's Go fetches.
func findStock(ctx context.Context) (*stock, error) {
	name, err := findGo()
	if err != nil {
		return nil, err
	}
	own, err := goEnv(ctx, name, "GOTOOLCHAIN=local")
	if err != nil {
		return nil, fmt.Errorf("the go command %s does not work (%w): install Go 1.26 from https://go.dev/dl", name, err)
	}
	if fits(own["GOVERSION"]) {
		return newStock(own), nil
	}
	got, err := goEnv(ctx, name, "GOTOOLCHAIN="+stockFetched)
	if err == nil && !fits(got["GOVERSION"]) {
		err = fmt.Errorf("it stays %s", got["GOVERSION"])
	}
	if err != nil {
		return nil, fmt.Errorf("Yolk needs Go 1.26 (1.26.%d or later); %s is %s and could not fetch %s (%w): install it from https://go.dev/dl or go online once",
			stockMinimum, name, own["GOVERSION"], stockFetched, err)
	}
	return newStock(got), nil
}

func newStock(env map[string]string) *stock {
	return &stock{
		Root:    env["GOROOT"],
		Go:      env["GOROOT"] + "/bin/go",
		Version: plainVersion(env["GOVERSION"]),
		Host:    env["GOHOSTOS"] + "_" + env["GOHOSTARCH"],
	}
}

// goPlaces are where Go's own instructions and Debian put the go command.
var goPlaces = []string{"/usr/local/go/bin/go", "/usr/lib/go-1.26/bin/go", "/usr/lib/go/bin/go"}

// findGo returns the machine's go command: the one in PATH, else one of
// goPlaces.
func findGo() (string, error) {
	if name, err := exec.LookPath("go"); err == nil {
		return name, nil
	}
	for _, name := range goPlaces {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no go command in PATH: install Go 1.26 from https://go.dev/dl")
}

// fits reports whether the edits are meant for a Go of this version.
func fits(version string) bool { return patchOf(version) >= stockMinimum }

// patchOf returns the 8 of go1.26.8, and -1 for a version of another line.
func patchOf(version string) int {
	rest, ok := strings.CutPrefix(plainVersion(version), stockLine)
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return -1
	}
	return n
}

// plainVersion cuts what may follow the release number: experiments, and
// the marks of distributors.
func plainVersion(version string) string {
	if i := strings.IndexAny(version, " -+"); i >= 0 {
		version = version[:i]
	}
	return version
}

// goEnv asks a go command for the settings that matter here, away from any
// module or workspace of the user.
func goEnv(ctx context.Context, name string, extra ...string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, name, "env", "-json", "GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "GOROOT=", "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "GOEXPERIMENT=")
	cmd.Env = append(cmd.Env, extra...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := group.Run(cmd); err != nil {
		return nil, fmt.Errorf("%w%s", err, lastLine(stderr.Bytes()))
	}
	env := map[string]string{}
	if err := json.Unmarshal(out.Bytes(), &env); err != nil {
		return nil, fmt.Errorf("its go env answers %q", out.Bytes())
	}
	if env["GOROOT"] == "" || env["GOVERSION"] == "" {
		return nil, fmt.Errorf("its go env has no GOROOT or GOVERSION")
	}
	return env, nil
}

// lastLine returns ": " and the last line of a command's complaint, or
// nothing when there is none.
func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}
