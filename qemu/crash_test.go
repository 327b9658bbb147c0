package qemu

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestOnCrash: what counts as a crash, and what is known of it.
func TestOnCrash(t *testing.T) {
	for _, tt := range []struct {
		name, do string
		why      string // "": it is none
	}{
		{"a status", "ctl:yolk_main ctl:yolk_exit_2 end:5", ""},
		{"a panic", "ctl:yolk_main uart:panic: ctl:yolk_crash ctl:yolk_exit_2 end:5", "has crashed, with status 2"},
		{"a reset", "ctl:yolk_main end:0", "triple fault"},
		{"QEMU is killed", "ctl:yolk_main signal", "signal: killed"},
		{"QEMU does not want to", "complain:no-such-machine end:1", ""},
		{"QEMU without a sandbox", "nosandbox ctl:yolk_main ctl:yolk_exit_0 end:1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.do, "")
			var got *Crash
			r := runGuest(t, context.Background(), func(o *Options) {
				o.OnCrash = func(c *Crash) string { got = c; return "noted" }
			})
			if tt.why == "" {
				if got != nil {
					t.Errorf("a crash: %+v", got)
				}
				return
			}
			if got == nil {
				t.Fatalf("no crash: %+v", r)
			}
			if !strings.Contains(got.Why, tt.why) || !strings.Contains(got.Command, "-machine microvm") || got.Registers == "" || !strings.Contains(r.notes, "yolk: noted") {
				t.Errorf("%+v, notes %s", got, r.notes)
			}
			if tt.name == "a panic" && string(got.Console) != "panic:\n" {
				t.Errorf("console %q", got.Console)
			}
		})
	}
	fakes(t, "ctl:yolk_main hang", "")
	ctx, cancel := context.WithCancelCause(context.Background())
	r := runGuest(t, ctx, func(o *Options) {
		o.OnMain = func() { cancel(&SignalError{syscall.SIGINT}) }
		o.OnCrash = func(c *Crash) string { t.Errorf("a crash: %+v", c); return "" }
	})
	if r.err == nil {
		t.Errorf("%+v", r)
	}
}

// TestMonitor asks a QEMU for its registers, and others that are none.
func TestMonitor(t *testing.T) {
	const greeting = `{"QMP": {"version": {}, "capabilities": []}}` + "\n"
	for _, tt := range []struct {
		name   string
		answer func(command string) string
		want   string
		err    string
	}{
		{"registers", func(c string) string {
			if strings.Contains(c, "human-monitor-command") {
				return `{"event": "STOP", "data": {}}` + "\n" + `{"return": "CPU#0\r\nRIP=1\r\n"}`
			}
			return `{"return": {}}`
		}, "CPU#0\nRIP=1\n", ""},
		{"reset before", func(c string) string {
			switch {
			case strings.Contains(c, "query-status"):
				return `{"return": {"status": "shutdown", "running": false}}`
			case strings.Contains(c, "human-monitor-command"):
				return `{"return": "CPU#0\r\n"}`
			}
			return `{"return": {}}`
		}, "CPU#0\n", ""},
		{"refused", func(string) string { return `{"error": {"class": "GenericError", "desc": "no"}}` }, "", "no"},
		{"ends", func(string) string { return "" }, "", "unexpected EOF"},
		{"nonsense", func(string) string { return "}" }, "", "unexpected EOF"},
		{"no text", func(string) string { return `{"return": 7}` }, "", "registers: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, file, err := pair()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := net.FileConn(file)
			if err != nil {
				t.Fatal(err)
			}
			file.Close()
			defer ours.Close()
			go func() {
				defer theirs.Close()
				fmt.Fprint(theirs, greeting)
				for buf := make([]byte, 4096); ; {
					n, err := theirs.Read(buf)
					if err != nil {
						return
					}
					a := tt.answer(string(buf[:n]))
					if a == "" {
						return
					}
					fmt.Fprintln(theirs, a)
				}
			}()
			reset := make(chan struct{})
			m := openMonitor(ours, sync.OnceFunc(func() { close(reset) }))
			got, err := m.registers()
			if tt.name == "reset before" {
				<-reset
			}
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v; want %q, %s", got, err, tt.want, tt.err)
			}
		})
	}
}

// FuzzMonitor: whatever QEMU says, a command ends, and nothing else does.
func FuzzMonitor(f *testing.F) {
	f.Add([]byte(`{"QMP": {}}{"return": {}}{"event": "SHUTDOWN"}{"return": "x"}`))
	f.Add([]byte(`{"error": null}{"error": {"desc": 7}}`))
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, file, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		defer ours.Close()
		go func() {
			_, _ = theirs.Write(said)
			_ = theirs.(*net.UnixConn).CloseWrite()
			_, _ = io.Copy(io.Discard, theirs)
			theirs.Close()
		}()
		m := openMonitor(ours, func() {})
		_, _ = m.registers()
	})
}
