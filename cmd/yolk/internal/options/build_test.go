package options

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestBuildFlags(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want, err string }{
		{args: ""},
		{args: "--tags=a --trimpath --ldflags -s", want: "-tags=a -ldflags=-s -trimpath=true"},
		{args: "--tags a --tags b", want: "-tags=b"},
		{args: "--tags=", want: "-tags="},
		{args: "--trimpath=false --race=false", want: "-trimpath=false -race=false"},
		{args: "--pgo=x.prof", want: "-pgo=" + wd + "/x.prof"},
		{args: "--pgo=off", want: "-pgo=off"},
		{args: "--gcflags=all=-N", want: "-gcflags=all=-N"},
		{args: "--race", err: "-race: there is no race detector"},
		{args: "--exec=x", err: "-exec: yolk itself"},
		{args: "--mod=mod", want: "-mod=mod"},
		{args: "--overlay o.json --modfile=x/y.mod", want: "-modfile=" + wd + "/x/y.mod -overlay=" + wd + "/o.json"},
		{args: "--buildvcs -a --modcacherw", want: "-a=true -buildvcs=true -modcacherw=true"},
		{args: "--buildvcs=auto", want: "-buildvcs=auto"},
		{args: "-n", err: "-n: nothing is built"},
		{args: "-x", err: "-x: -v shows"},
		{args: "-C dir", err: "-C: change to the directory before"},
		{args: "--compiler=gccgo", err: "-compiler: yolk's own tools"},
	} {
		var b Build
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		b.Add(set)
		if err := set.Parse(strings.Fields(tt.args)); err != nil {
			t.Fatal(err)
		}
		got, err := b.Flags()
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v, want one with %q", tt.args, err, tt.err)
			}
		} else if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.args, got, err, tt.want)
		}
	}
}

// TestShipped: what goes to other machines does not show where it was built, unless that is asked for.
func TestShipped(t *testing.T) {
	for args, want := range map[string]string{
		"":                            "-trimpath=true -buildvcs=false",
		"--tags=a":                    "-tags=a -trimpath=true -buildvcs=false",
		"--trimpath":                  "-trimpath=true -buildvcs=false",
		"--trimpath=false --buildvcs": "-trimpath=false -buildvcs=true",
	} {
		var b Build
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		b.Add(set)
		if err := set.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Shipped(); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v, want %q", args, got, err, want)
		}
	}
}
