package main

import (
	"os"
	"slices"
	"testing"
)

func TestTrace(t *testing.T) {
	s := newProcShell(t, map[string]string{"yolk/trace": "off call,fuse\nlost 0\n1 old\n"})
	name := s.proc + "/yolk/trace"
	want(t, s, "trace", "off call,fuse\nlost 0\n1 old\n")
	for command, text := range map[string]string{"trace -k call,fuse on": "on call,fuse", "trace on": "on", "trace off": "off"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want(t, s, command, "")
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%s writes %q, %v, want %q", command, got, err, text)
		}
	}
	// A command that is traced finds it on, and leaves it as it was.
	if err := os.WriteFile(name, []byte("off call,fuse\nlost 0\n1 old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, s, "trace -k call \"head -1 "+name+"; printf 'on call\\nlost 0\\n1 old\\n2 new\\n' > "+name+"\"", "on calll,fuse\n2 new\n")
	if got, err := os.ReadFile(name); err != nil || string(got) != "offcall\nlost 0\n1 old\n2 new\n" {
		t.Errorf("it is left as %q, %v", got, err)
	}
	wantError(t, s, "trace -k call", "usage")
	wantError(t, s, "trace sh -c 'exit 3'", "")
	wantError(t, newProcShell(t, nil), "trace on", "no such file")
	wantError(t, newProcShell(t, nil), "trace ls", "no such file")

	state, events := splitTrace("on call\nlost 3\na\nb\n")
	if state != "on call" || !slices.Equal(events, []string{"a", "b"}) {
		t.Errorf("%q, %q", state, events)
	}
	if got := newer([]string{"b", "c"}, []string{"a", "b"}); !slices.Equal(got, []string{"c"}) {
		t.Errorf("%q", got)
	}
	if got := newer([]string{"c"}, []string{"a"}); !slices.Equal(got, []string{"c"}) {
		t.Errorf("%q", got)
	}
	if state, events := splitTrace(""); state != "" || len(events) != 0 {
		t.Errorf("%q, %q", state, events)
	}
}
