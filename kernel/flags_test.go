package kernel

import (
	"testing"
	"time"
)

func TestFlags(t *testing.T) {
	f := parseFlags("quiet=1\npath.mount0=\"/a \\\"b\\n\"\npath.bad=/x\nreadonly.mount0=1\nfiles.mount0=99\nfiles.bad=x\nnonsense\n=\n")
	if f["quiet"] != "1" || f["readonly.mount0"] != "1" {
		t.Errorf("%q", f)
	}
	if p, err := f.path("mount0"); p != "/a \"b\n" || err != nil {
		t.Errorf("path %q, %v", p, err)
	}
	if p, err := f.path("other"); p != "" || err != nil {
		t.Errorf("path of a share without one: %q, %v", p, err)
	}
	if _, err := f.path("bad"); err == nil {
		t.Error("a path without quotes was taken")
	}
	for tag, want := range map[string]int{"mount0": 99, "other": 0, "bad": 0} {
		if n, err := f.files(tag); n != want || (err != nil) != (tag == "bad") {
			t.Errorf("files of %s: %d, %v", tag, n, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	if at := parseTime("1700000000123456789"); !at.Equal(time.Unix(1700000000, 123456789)) {
		t.Errorf("%v", at)
	}
	for _, s := range []string{"", "-1", "0", "x", "1\n", "99999999999999999999"} {
		if at := parseTime(s); !at.IsZero() {
			t.Errorf("%q gives the time %v", s, at)
		}
	}
}
