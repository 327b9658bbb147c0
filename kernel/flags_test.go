package kernel

import (
	"testing"
	"time"
)

func TestFlags(t *testing.T) {
	f := parseFlags("quiet=1\ntime=1700000000123456789\npath.mount0=\"/a \\\"b\\n\"\npath.bad=/x\nreadonly.mount0=1\nnonsense\n=\n")
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
	if at, ok := f.time(); !ok || !at.Equal(time.Unix(1700000000, 123456789)) {
		t.Errorf("time %v %v", at, ok)
	}
	for _, s := range []string{"", "time=", "time=-1", "time=x", "time=99999999999999999999"} {
		if at, ok := parseFlags(s).time(); ok {
			t.Errorf("%q gives the time %v", s, at)
		}
	}
}
