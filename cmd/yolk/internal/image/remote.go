package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// remote is the directory of the module that fetch makes.
func (b *Builder) remote() string { return filepath.Join(b.Scratch, "remote") }

// fetch makes a module that requires the one with a package, PKG@VERSION, and
// returns its directory and the package. As with go run, the module in the
// working directory has no say.
func (b *Builder) fetch(ctx context.Context, arg string) (dir string, rest []string, err error) {
	path, version, _ := strings.Cut(arg, "@")
	if path == "" || version == "" || strings.Contains(path, "...") {
		return "", nil, fmt.Errorf("%q: want PACKAGE@VERSION, for example example.com/cmd/tool@latest", arg)
	}
	dir = b.remote()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, "go.mod")
	if err := os.WriteFile(file, []byte("module yolk.run\n\ngo "+guestGo+"\n"), 0o600); err != nil {
		return "", nil, err
	}
	// What says which modules and files the user's own program has is not for this one.
	_, flags, err := b.goflags(ctx, dir)
	if err != nil {
		return "", nil, err
	}
	// For the target's own standard library the kernel would have to be there.
	env := []string{"GOOS=linux", "GOOSPKG=", "GOWORK=off", "GOFLAGS=" + joinFlags(append(flags, "-mod=mod"))}
	if _, err := b.goCommand(ctx, dir, env, "get", "--", arg); err != nil {
		return "", nil, err
	}
	out, err := b.goCommand(ctx, dir, env, "list", "-find", "-json=Module", "--", path)
	if err != nil {
		return "", nil, err
	}
	type found struct{ Module *struct{ GoVersion string } }
	list, err := decodeList[found](out)
	if err != nil {
		return "", nil, err
	}
	if len(list) != 1 || list[0].Module == nil {
		return "", nil, fmt.Errorf("%s: a package of the standard library has no version", arg)
	}
	// The settings of GODEBUG go by the version of Go that the program is for.
	mod, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	mod = fmt.Appendf(mod, "\ngodebug default=go1.%d\n", settingsOf(list[0].Module.GoVersion))
	return dir, []string{path}, os.WriteFile(file, mod, 0o600)
}
