package options

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
)

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, " ": nil, "a b\tc\n": {"a", "b", "c"}, `a 'b c' "d e"`: {"a", "b c", "d e"},
		`a\ b "c\"d" 'e\f' ''`: {"a b", `c"d`, `e\f`, ""}, `-x="y z"`: {"-x=y z"}, `\\`: {`\`}, "ä 'ö ü'": {"ä", "ö ü"},
	} {
		if got, err := splitWords(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"'", `a "b`, `a\`} {
		if got, err := splitWords(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestRootSource(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "a:/b")
	if err := os.MkdirAll(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]image.Source{
		dir: {Host: dir, Path: "/"}, dir + ":/": {Host: dir, Path: "/"}, dir + ":/etc/x/": {Host: dir, Path: "/etc/x"},
		odd: {Host: odd, Path: "/"}, odd + ":/c": {Host: odd, Path: "/c"}, "none:/x/../y": {Host: "none", Path: "/y"},
	} {
		if got, err := RootSource(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	if _, err := RootSource(":/x"); err == nil {
		t.Error("no directory: no error")
	}
}

// TestEmbedFlags: which parts the options make, and what is wrong with them.
func TestEmbedFlags(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args  string
		parts string
		err   string
	}{
		{"", "", ""},
		{"--args -v", "args", ""},
		{"--env A=b", "env args", ""},
		{"--cwd /x", "cwd args", ""},
		{"--root " + dir, "args root", ""},
		{"--root " + dir + " --writable", "flags args root", ""},
		{"--mount-disk vda:/data:overlay", "flags args", ""},
		{"--writable", "", "no --root"},
		{"--cwd x", "", "absolute"},
		{"--args '", "", "without its end"},
		{"--root /none/such", "", "no such"},
		{"--env =b", "", "NAME=VALUE"},
	} {
		var f Embed
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.Add(set)
		if err := set.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		parts, err := f.parts("app", filepath.Join(dir, "app"), os.Stderr)
		var names []string
		for _, p := range parts {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != c.parts || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: parts %q, %v; want %q, %q", c.args, got, err, c.parts, c.err)
		}
	}
}
