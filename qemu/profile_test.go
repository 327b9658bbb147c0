package qemu

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestProfile(t *testing.T) {
	for _, tt := range []struct {
		name, do string
		limited  bool
		status   int
		err      error
		profile  string
		locks    string // the other profile; empty: it is not wanted, none: it does not come
		notes    string
	}{
		{name: "at the end", do: "ctl:yolk_main profile:5=bytes ctl:yolk_exit_0 end:1", profile: "bytes"},
		{name: "with a status", do: "ctl:yolk_main profile:5=bytes ctl:yolk_exit_3 end:1", status: 3, profile: "bytes"},
		{name: "none", do: "ctl:yolk_main ctl:yolk_exit_0 end:1", err: ErrNoProfile},
		{name: "none, with a status", do: "ctl:yolk_main ctl:yolk_exit_2 end:1", status: 2, notes: "no CPU profile"},
		{name: "a part", do: "ctl:yolk_main profile:9=bytes ctl:yolk_exit_2 end:1", status: 2, notes: "5 of its 9 bytes"},
		{name: "too large", do: "ctl:yolk_main profile:9999999999=bytes ctl:yolk_exit_2 end:1", status: 2, notes: "at most"},
		{name: "at the time limit", do: "ctl:yolk_main asked:profile profile:5=bytes hang", limited: true, err: ErrTimeout, profile: "bytes"},
		{name: "two", do: "ctl:yolk_main locks:4=held profile:5=bytes ctl:yolk_exit_0 end:1", profile: "bytes", locks: "held"},
		{name: "one of two", do: "ctl:yolk_main profile:5=bytes ctl:yolk_exit_2 end:1", status: 2, profile: "bytes", locks: "none", notes: "no lock profile"},
		{name: "two at the time limit", do: "ctl:yolk_main asked:locks asked:profile locks:4=held profile:5=bytes hang", limited: true, err: ErrTimeout, profile: "bytes", locks: "held"},
		{name: "before the program", do: "hang", limited: true, err: ErrTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.do, "")
			var profile, locks bytes.Buffer
			var got outcome
			run := func(limit time.Duration) bool {
				got = runGuest(t, context.Background(), func(o *Options) {
					o.Profile, o.Timeout = &profile, limit
					if tt.locks != "" {
						o.Locks = &locks
					}
				})
				return profile.String() == tt.profile && (!tt.limited || locks.String() == tt.locks)
			}
			if !tt.limited {
				run(0)
			} else {
				enough(t, run)
			}
			if got.status != tt.status || !errors.Is(got.err, tt.err) || (tt.err == nil) != (got.err == nil) {
				t.Errorf("status %d, error %v, want %d, %v", got.status, got.err, tt.status, tt.err)
			}
			if tt.locks == "none" {
				tt.locks = ""
			}
			if locks.String() != tt.locks {
				t.Errorf("profile of locks %q, want %q", &locks, tt.locks)
			}
			if profile.String() != tt.profile || !strings.Contains(got.notes, tt.notes) || (tt.notes == "") != (got.notes == "") {
				t.Errorf("profile %q, notes %q, want %q, %q", &profile, got.notes, tt.profile, tt.notes)
			}
		})
	}
}
