package image

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
)

// Test runs go test for the target with arguments as go test takes them. Each
// package with tests gets an external test file with the import that boots
// the kernel, which works for the packages that the kernel itself needs, too.
// wrapper is the command that go test is to run test binaries by.
func (b *Builder) Test(ctx context.Context, dir, wrapper string, args []string) (Command, error) {
	return again(ctx, b, func() (Command, error) { return b.test(ctx, dir, wrapper, args) })
}

func (b *Builder) test(ctx context.Context, dir, wrapper string, args []string) (cmd Command, err error) {
	flags, packages, rest := splitTestArgs(args)
	where, flags, err := takeModuleFlags(flags)
	if err != nil {
		return cmd, err
	}
	users, _ := takeFlag(flags, "tags")
	ws, err := b.workspace(ctx, dir, where, slices.Concat([]string{"-test"}, tagsFlag(users), []string{"--"}, packages))
	if err != nil {
		return cmd, err
	}
	tags, flags := targetFlags(flags, ws.goflags, smallFlags, linkFlags)
	pkgs, err := b.list(ctx, dir, ws, tags, packages)
	if err != nil {
		return cmd, err
	}
	need := b.needsOf(ctx, dir, ws, slices.Concat([]string{"-test", "-tags=" + tags}, ws.flags, []string{"--"}, packages))
	need.calls = true
	if need.network {
		if err := b.addNetwork(ctx, ws); err != nil {
			return cmd, err
		}
	}
	boot := "\n\nimport (\n"
	for _, pkg := range need.packages() {
		boot += "\t_ \"" + pkg + "\"\n"
	}
	files := map[string]string{}
	for _, p := range pkgs {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			name := filepath.Join(p.Dir, bootTestFile)
			files[name] = "package " + p.Name + "_test" + boot + ")\n"
		}
	}
	overlay, err := b.overlay(ws, files)
	if err != nil {
		return cmd, err
	}
	if isFile(packages[0]) { // which are all there is of the package
		packages = append(slices.Clone(packages), filepath.Join(filepath.Dir(packages[0]), bootTestFile))
	}
	cmd = Command{
		Dir: dir,
		Env: append(b.environ(dir), ws.env...),
		Args: slices.Concat(
			[]string{b.Toolchain.Go, "test", "-exec=" + wrapper, overlay},
			ws.flags, flags, packages, rest),
	}
	return cmd, nil
}

// Command is a go command that is ready to run.
type Command struct {
	Dir  string
	Env  []string
	Args []string // the go command first
}

// testBools are the flags of go test, of go build among them, that take no
// value.
var testBools = strings.Fields("a asan artifacts benchmem buildvcs c cover failfast fullpath i json " +
	"linkshared modcacherw msan n race short trimpath v work x")

// splitTestArgs divides the arguments of go test into the flags before the
// packages, the packages, and what follows.
func splitTestArgs(args []string) (flags, packages, rest []string) {
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") && len(args[i]) > 1 {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-")
		if name == "args" {
			break
		}
		if name == "" { // "--" ends the flags
			i++
			break
		}
		flags = append(flags, args[i])
		i++
		name = strings.TrimPrefix(name, "test.")
		if !strings.Contains(name, "=") && !slices.Contains(testBools, name) && i < len(args) {
			flags = append(flags, args[i])
			i++
		}
	}
	for i < len(args) && !strings.HasPrefix(args[i], "-") {
		packages = append(packages, args[i])
		i++
	}
	if len(packages) == 0 {
		packages = []string{"."}
	}
	// Flags of the build may stand behind the packages as well.
	end := slices.IndexFunc(args[i:], func(a string) bool { return a == "-args" || a == "--args" })
	if end < 0 {
		end = len(args) - i
	}
	behind := args[i : i+end]
	for _, name := range []string{"tags", "ldflags", "mod", "modfile", "overlay"} {
		var values []string
		values, behind = takeFlag(behind, name)
		for _, v := range values {
			flags = append(flags, "-"+name+"="+v)
		}
	}
	return flags, packages, append(slices.Clone(behind), args[i+end:]...)
}

// Go prepares a go command of the user's own choice for the target, in a
// workspace that holds the kernel where the command builds or looks at
// packages.
func (b *Builder) Go(ctx context.Context, dir string, args []string) (Command, error) {
	return again(ctx, b, func() (Command, error) { return b.goCommandOf(ctx, dir, args) })
}

func (b *Builder) goCommandOf(ctx context.Context, dir string, args []string) (cmd Command, err error) {
	cmd = Command{Dir: dir, Env: b.environ(dir), Args: append([]string{b.Toolchain.Go}, args...)}
	if len(args) == 0 || slices.Contains([]string{"env", "get", "help", "install", "mod", "telemetry", "tool", "version", "work"}, args[0]) {
		return cmd, nil
	}
	where, rest, err := takeModuleFlags(args[1:])
	if err != nil {
		return cmd, err
	}
	cmd.Args = append(cmd.Args[:2:2], rest...)
	ws, err := b.workspace(ctx, dir, where, []string{"--", "./..."})
	if err != nil {
		return cmd, err
	}
	if _, err := b.shadow(ctx, dir, ws); err != nil {
		return cmd, err
	}
	_, target := targetFlags(nil, ws.goflags, smallFlags, linkFlags)
	_, goflags := takeFlag(ws.goflags, "tags")
	_, goflags = takeFlag(goflags, "ldflags")
	goflags = slices.Concat(goflags, ws.flags, target)
	if len(ws.overlay) > 0 {
		flag, err := b.overlay(ws, nil)
		if err != nil {
			return cmd, err
		}
		goflags = append(goflags, flag)
	}
	cmd.Env = slices.Concat(cmd.Env, ws.env, []string{"GOFLAGS=" + joinFlags(goflags)})
	return cmd, nil
}

// joinFlags is the inverse of splitFlags.
func joinFlags(flags []string) string {
	words := slices.Clone(flags)
	for i, w := range words {
		if strings.ContainsAny(w, " \t\n") {
			words[i] = "'" + w + "'"
		}
	}
	return strings.Join(words, " ")
}
