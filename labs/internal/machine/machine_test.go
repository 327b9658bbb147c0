package machine

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"testing"
)

// monitored plays QEMU's monitor: what it says of its status, with an event that it tells
// of before, if there is one, and of the registers at each look, the last of which stays.
func monitored(t *testing.T, running bool, event string, looks ...string) *State {
	t.Helper()
	return monitoredSaying(t, "", running, event, looks...)
}

// monitoredSaying is monitored of a machine that has said something, which is waited for.
func monitoredSaying(t *testing.T, said string, running bool, event string, looks ...string) *State {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		dec := json.NewDecoder(theirs)
		for {
			var r struct {
				Execute   string
				Arguments struct {
					Line string `json:"command-line"`
				}
			}
			if dec.Decode(&r) != nil {
				return
			}
			answer := "{}"
			switch {
			case r.Execute == "query-status":
				if event != "" {
					fmt.Fprintf(theirs, `{"event": %q}`, event)
				}
				answer = fmt.Sprintf(`{"status": "x", "running": %t}`, running)
			case r.Arguments.Line == "info registers":
				text, _ := json.Marshal(looks[0])
				answer = string(text)
				looks = looks[min(1, len(looks)-1):]
			case r.Execute != "qmp_capabilities":
				answer = `""`
			}
			fmt.Fprintf(theirs, `{"return": %s}`, answer)
		}
	}()
	m := &monitor{dec: json.NewDecoder(ours), conn: ours, pid: os.Getpid()}
	var serial output
	serial.Write([]byte(said))
	s, err := m.watch(&serial, said, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEnds: how quick the machine is, or how slow who looks, changes nothing of what it
// is taken for.
func TestEnds(t *testing.T) {
	const begin, halt = "EIP=0000fff0 EFL=00000002 HLT=1", "RIP=0000000000200000 RFL=00000002 HLT=1"
	if s := monitored(t, true, "", begin, begin, "RIP=0000000000200000 RFL=00000002 HLT=0", halt); s.End != Halted || s.Reg("IP") != 0x200000 {
		t.Errorf("one that begins, and halts: %v at %#x", s.End, s.Reg("IP"))
	}
	if s := monitored(t, false, "", "RIP=0000000000200000 RFL=00000002 HLT=0"); s.End != Crashed {
		t.Errorf("one that crashed before anybody looked: %v", s.End)
	}
	if s := monitored(t, true, "STOP", "RIP=0000000000200000 RFL=00000002 HLT=0"); s.End != Crashed {
		t.Errorf("one that crashed as its status was on its way: %v", s.End)
	}
	if s := monitored(t, true, "", "RIP=0000000000200000 RFL=00000202 HLT=1", halt); s.End != Halted {
		t.Errorf("one that waits for an interrupt, and halts: %v", s.End)
	}
	if s := monitoredSaying(t, "light", true, "", begin, halt); s.End != Said || s.Reg("IP") != 0x200000 {
		t.Errorf("one that said what was waited for right after a look: %v at %#x", s.End, s.Reg("IP"))
	}
	if s := monitored(t, true, "STOP", begin, "RIP=0000000000200000 RFL=00000002 HLT=0"); s.End != Crashed || s.Reg("IP") != 0x200000 {
		t.Errorf("one that crashed right after a look: %v at %#x", s.End, s.Reg("IP"))
	}
}
