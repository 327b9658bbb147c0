package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/yolkos/yolk/toolchain/group"
)

// line is a line of Go's releases that the edits fit.
type line struct {
	lang    string // go1.26
	minimum string // its first release that they fit
	fetched string // the release that is fetched where the machine has none
}

// lines are in the order of their releases. The first is what a toolchain is
// made from where nothing asks for a newer one.
var lines = []line{
	{"go1.26", "go1.26.4", "go1.26.8"},
	{"go1.27", "go1.27.0", "go1.27.4"},
}

// Newest is the newest Go that a toolchain can be made from, such as 1.27.4; a
// later release of its line does as well.
func Newest() string { return strings.TrimPrefix(lines[len(lines)-1].fetched, "go") }

// ErrTooNew is the error for a Go that is newer than what a toolchain can be
// made from.
var ErrTooNew = errors.New("no toolchain can be made from it")

// stock is the Go distribution that the toolchain is made from.
type stock struct {
	Root    string // GOROOT
	Go      string // its go command
	Version string // for example go1.26.8
	Host    string // for example linux_amd64
}

// findStock returns the Go that a toolchain is made from: of the first line that
// has a release of at least wants, such as 1.27.1; "" stands for any. It is the
// one that $GOTOOLCHAIN names or that is installed, if that is of the line, else
// one that the go command fetches. For the first line that is done whatever
// $GOTOOLCHAIN says of fetching: there is nothing without it.
func findStock(ctx context.Context, wants string) (*stock, error) {
	if wants != "" {
		wants = "go" + wants
	}
	i := slices.IndexFunc(lines, func(l line) bool { return l.reaches(wants) })
	if i < 0 {
		return nil, ErrTooNew
	}
	l := lines[i]
	name, err := findGo()
	if err != nil {
		return nil, err
	}
	own, err := goEnv(ctx, name)
	if err != nil { // what $GOTOOLCHAIN names cannot be had
		own, err = goEnv(ctx, name, "GOTOOLCHAIN=local")
	}
	if err != nil {
		return nil, fmt.Errorf("the go command %s does not work (%w): install Go 1.26 from https://go.dev/dl", name, err)
	}
	setting, more, _ := strings.Cut(own["GOTOOLCHAIN"], "+")
	later := slices.ContainsFunc(lines[i:], func(l line) bool { return l.fits(own["GOVERSION"], wants) })
	if l.fits(own["GOVERSION"], wants) || later && version.IsValid(setting) {
		return newStock(own), nil
	}
	fetched := l.fetched
	if version.Compare(fetched, wants) < 0 {
		fetched = wants
	}
	if i > 0 && setting != "" && setting != "auto" && more != "auto" {
		return nil, fmt.Errorf("GOTOOLCHAIN=%s keeps %s from being fetched (GOTOOLCHAIN=auto does not)", own["GOTOOLCHAIN"], fetched)
	}
	got, err := goEnv(ctx, name, "GOTOOLCHAIN="+fetched)
	if err == nil && !l.fits(got["GOVERSION"], wants) {
		err = fmt.Errorf("it stays %s", got["GOVERSION"])
	}
	switch {
	case err == nil:
		return newStock(got), nil
	case later:
		return newStock(own), nil
	}
	return nil, fmt.Errorf("Yolk needs Go %s (%s or later); %s is %s and could not fetch %s (%w): install it from https://go.dev/dl or go online once",
		l.lang[2:], l.minimum[2:], name, own["GOVERSION"], fetched, err)
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

// reaches reports whether the line has a release of at least wants, or may get one.
func (l line) reaches(wants string) bool {
	return wants == "" || version.Compare(version.Lang(wants), l.lang) <= 0
}

// fits reports whether a Go is of the line, and at least wants.
func (l line) fits(own, wants string) bool {
	own = plainVersion(own)
	return version.Lang(own) == l.lang && version.Compare(own, l.minimum) >= 0 && version.Compare(own, wants) >= 0
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
	cmd := exec.CommandContext(ctx, name, "env", "-json", "GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOTOOLCHAIN")
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
