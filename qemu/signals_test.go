package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// send makes a channel with signals for a guest.
func send(signals ...os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, len(signals))
	for _, s := range signals {
		c <- s
	}
	return c
}

// TestSignals: the program decides what a signal does, but for the second SIGINT
// and a SIGTERM that it takes too long over.
func TestSignals(t *testing.T) {
	for _, tt := range []struct {
		name, do string
		signals  []os.Signal
		stop     time.Duration
		status   int
		ended    syscall.Signal
		note     string
	}{
		{name: "hang up", do: "hears:signal_1 ctl:yolk_exit_129 end:1", signals: []os.Signal{syscall.SIGHUP}, status: 129},
		{name: "interrupt", do: "hears:signal_2 ctl:yolk_exit_7 end:1", signals: []os.Signal{syscall.SIGINT}, status: 7},
		{name: "twice", do: "hang", signals: []os.Signal{syscall.SIGINT, syscall.SIGINT}, ended: syscall.SIGINT},
		{name: "others twice", do: "hears:signal_28 ctl:yolk_exit_0 end:1", signals: []os.Signal{
			syscall.SIGHUP, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGTERM, syscall.SIGWINCH,
		}},
		{
			name: "terminate, in time", do: "hears:signal_15 ctl:yolk_exit_143 end:1", signals: []os.Signal{syscall.SIGTERM},
			stop: time.Hour, status: 143,
		},
		{
			name: "terminate, not in time", do: "ctl:yolk_main hang", signals: []os.Signal{syscall.SIGTERM},
			stop: 10 * time.Millisecond, ended: syscall.SIGTERM, note: "the program has not ended within 10ms of SIGTERM",
		},
		{name: "no signal of a process", do: "ctl:yolk_exit_0 end:1", signals: []os.Signal{other{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.do, "")
			got := runGuest(t, context.Background(), func(o *Options) {
				o.Signals, o.StopTimeout = send(tt.signals...), tt.stop
			})
			var by *SignalError
			if tt.ended == 0 && got.err != nil || tt.ended != 0 && (!errors.As(got.err, &by) || by.Signal != tt.ended) {
				t.Errorf("error %v, want the end by %v", got.err, tt.ended)
			}
			if got.status != tt.status || !strings.Contains(got.notes, tt.note) {
				t.Errorf("status %d, notes %q", got.status, got.notes)
			}
		})
	}
}

// other is an os.Signal of some other system.
type other struct{}

func (other) String() string { return "other" }
func (other) Signal()        {}

// childStates returns the states of the processes that this one has started, by
// proc(5).
func childStates(t *testing.T) (states string) {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lists {
		list, _ := os.ReadFile(name)
		for _, pid := range strings.Fields(string(list)) {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
			if _, rest, ok := strings.Cut(string(stat), ") "); ok {
				states += rest[:1]
			}
		}
	}
	return states
}

// TestSuspend: while the program is stopped, so is QEMU.
func TestSuspend(t *testing.T) {
	fakes(t, "ctl:yolk_main says:stopped_20 hears:continued ctl:yolk_exit_0 end:1", "")
	var by []syscall.Signal
	got := runGuest(t, context.Background(), func(o *Options) {
		o.Suspend = func(sig syscall.Signal) {
			by = append(by, sig)
			// The signal stops each thread by itself.
			for deadline := time.Now().Add(time.Minute); !strings.Contains(childStates(t), "T"); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Errorf("states of QEMU %q while stopped", childStates(t))
					return
				}
			}
		}
	})
	if got.err != nil || len(by) != 1 || by[0] != syscall.SIGTSTP {
		t.Errorf("%v, stopped by %v", got.err, by)
	}
}

// TestSuspendBy: the guest cannot have any signal raised, and is answered in any
// case.
func TestSuspendBy(t *testing.T) {
	for _, say := range []string{"says:stopped_9", "says:stopped_0", "says:stopped_65", "says:stopped_x says:stopped_1"} {
		fakes(t, say+" says:stopped_15 hears:continued ctl:yolk_exit_0 end:1", "")
		got := runGuest(t, context.Background(), func(o *Options) {
			o.Suspend = func(sig syscall.Signal) { t.Errorf("%s: stopped by %v", say, sig) }
		})
		if got.err != nil {
			t.Error(got.err)
		}
	}
	fakes(t, "says:stopped_20 hears:continued ctl:yolk_exit_0 end:1", "")
	if got := runGuest(t, context.Background(), nil); got.err != nil { // no way to stop
		t.Error(got.err)
	}
}

// TestSuspendPassesOn: what the program wrote before it was stopped is read by whoever
// waits for it meanwhile.
func TestSuspendPassesOn(t *testing.T) {
	fakes(t, "ctl:yolk_main stdout:before says:stopped_20 hears:continued ctl:yolk_exit_0 end:1", "")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	got := runGuest(t, context.Background(), func(o *Options) {
		o.Stdout = w
		o.Suspend = func(syscall.Signal) {
			// It is there already: nothing moves while this process is stopped.
			_ = r.SetReadDeadline(time.Now().Add(time.Millisecond))
			b := make([]byte, 100)
			if n, err := r.Read(b); string(b[:n]) != "before\n" {
				t.Errorf("read %q, %v", b[:n], err)
			}
		}
	})
	if got.err != nil {
		t.Error(got.err)
	}
}
