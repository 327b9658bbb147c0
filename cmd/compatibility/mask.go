package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// masks are the parts of output that differ between two runs on one system,
// too, each with the name by which a program's file asks for it.
var masks = map[string][]string{
	"time": {
		`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[-+]\d\d:?\d\d|UTC))?( UTC)?( m=[-+][\d.]+)?`,
		`(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(\d+ )?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d+|\d{4}) \d\d:\d\d:\d\d( [A-Z]+)?( \d{4})?`,
		`\b\d\d:\d\d:\d\d([.,]\d+)?\b`,
	},
	"duration": {` *\b(\d+(\.\d+)? ?(ns|µs|μs|us|ms|s|sec|seconds|m|min|h))+\b`}, // with what pads it
	"seconds":  {`\b1[6-9]\d{8}(\.\d+|\d{3}|\d{6}|\d{9})?\b`},                    // since 1970, in s, ms, µs or ns
	"port":     {`\b(127\.0\.0\.1|localhost|\[::1?\]|0\.0\.0\.0):\d+`},
	"pid":      {`(?i)\bpid\W{1,3}\d+`, `\[\d+\]`},
	"temp":     {`/tmp/[^\s"':]+`},
	"address":  {`\b0x[0-9a-f]{6,16}\b`},
	"hash":     {`\b[0-9a-f]{64}\b`, `\b[0-9a-f]{40}\b`, `\b[0-9a-f]{32}\b`},
}

// maskNamed returns what a line mask asks for: one of masks, or an expression.
func maskNamed(name string) ([]*regexp.Regexp, error) {
	list := masks[name]
	if len(name) > 1 && strings.HasPrefix(name, "/") && strings.HasSuffix(name, "/") {
		list = []string{name[1 : len(name)-1]}
	}
	if list == nil {
		return nil, fmt.Errorf("want /REGEXP/ or one of %v", slices.Sorted(maps.Keys(masks)))
	}
	var out []*regexp.Regexp
	for _, text := range list {
		re, err := regexp.Compile("(?m)" + text)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}

func masked(text string, masks []*regexp.Regexp) string {
	for _, re := range masks {
		text = re.ReplaceAllString(text, "…")
	}
	return text
}
