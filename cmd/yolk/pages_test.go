package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/docs/pages"
)

// foreign are options on the pages that are not yolk's, with whose they are.
var foreign = map[string]string{
	"--blobdev": "mkfs.erofs",
	"--sandbox": "virtiofsd", "--inode-file-handles": "virtiofsd", "--bare": ".ci/chroot",
	"--cmdline": "cloud-hypervisor", "--serial": "cloud-hypervisor", "--device": "docker", "--config-file": "firecracker",
}

// TestPages: the pages name no command of yolk's and no option that it does not have.
func TestPages(t *testing.T) {
	all, err := pages.Read("../..")
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]bool{"--version": true} // which cobra adds
	for _, cmd := range append(root().Commands(), root()) {
		cmd.InitDefaultHelpFlag()
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { options["--"+f.Name] = true })
	}
	commands, long := 0, regexp.MustCompile(`(^|[\s\[])(--[a-z][\w-]+)`)
	used := map[string]bool{}
	for _, p := range all {
		lines := p.Code
		for _, b := range p.Blocks {
			for _, c := range b.Commands() {
				lines = append(lines, pages.Span{Text: c.Text, Line: c.Line})
			}
		}
		for _, s := range lines {
			if strings.HasPrefix(s.Text, "--") {
				for _, m := range long.FindAllStringSubmatch(s.Text, -1) {
					used[m[2]] = true
					if !options[m[2]] && foreign[m[2]] == "" {
						t.Errorf("%s:%d: yolk has no option %s; one of another program goes into foreign in cmd/yolk/pages_test.go", p.Name, s.Line, m[2])
					}
				}
			}
			for _, line := range strings.Split(strings.ReplaceAll(s.Text, "\\\n", " "), "\n") {
				words := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(line))
				for len(words) > 0 && regexp.MustCompile(`^[A-Z]+=`).MatchString(words[0]) {
					words = words[1:] // the environment
				}
				if len(words) < 2 || words[0] != "yolk" && words[0] != "bin/yolk" {
					continue
				}
				commands++
				if err := knows(words[1:]); err != "" {
					t.Errorf("%s:%d: %s: %s", p.Name, s.Line, s.Text, err)
				}
			}
		}
	}
	for name, program := range foreign {
		if !used[name] {
			t.Errorf("foreign has %s of %s, which no page names", name, program)
		}
	}
	if commands < 30 {
		t.Errorf("only %d command lines of yolk were found", commands)
	}
}

// knows says what is wrong with a command line, whose values may be words that stand for
// some: N, PKG, ….
func knows(words []string) string {
	for i, w := range words {
		if strings.ContainsAny(w, "|&;#") || w == "<" || w == ">" {
			words = words[:i]
			break
		}
	}
	cmd, rest, err := root().Find(words)
	if err != nil || cmd.Name() == "yolk" && len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		if spoken[words[0]] {
			return ""
		}
		return "yolk has no such command"
	}
	cmd.InitDefaultHelpFlag()
	switch cmd.Name() {
	case "test":
		// What is left is go test's, whose flags have one dash on the pages.
		_, left, err := splitGuestFlags(rest)
		i := slices.IndexFunc(left, func(w string) bool { return strings.HasPrefix(w, "--") })
		if err != nil || i < 0 {
			return ""
		}
		return "unknown flag: " + left[i]
	case "go":
		return "" // which has its own
	}
	rest = doubleDashes(cmd.Root(), words)
	if err := cmd.ParseFlags(rest[1:]); err != nil && strings.Contains(err.Error(), "unknown") {
		return err.Error()
	}
	return ""
}

// TestKnows: a command line that is wrong is seen.
func TestKnows(t *testing.T) {
	for line, want := range map[string]string{
		"run -q --root DIR:ro .":              "",
		"run -tags x -ldflags=-s . --no-such": "",
		"run --cpus N …":                      "",
		"run app.elf ARG… | cat -n":           "",
		"build --root":                        "",
		"test ./fs -run Random -seed 0":       "",
		"test --machine q35 net":              "",
		"go vet ./...":                        "",
		"--help":                              "",
		"main":                                "",
		"run --rot DIR .":                     "unknown flag: --rot",
		"run -Q .":                            "unknown shorthand flag: 'Q' in -Q",
		"test --machin q35 net":               "unknown flag: --machin",
		"rum .":                               "yolk has no such command",
	} {
		if got := knows(strings.Fields(line)); got != want {
			t.Errorf("yolk %s: %q, want %q", line, got, want)
		}
	}
}

// spoken are words behind yolk that are no commands: lines for the launcher, and messages.
var spoken = map[string]bool{"main": true, "exit": true, "crash": true, "clock": true, "stage": true, "itself": true, "has": true}
