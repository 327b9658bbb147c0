package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKeptProof: that KVM works is known as long as the file is there; that it does not may
// have been the host's load, and is looked at again.
func TestKeptProof(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "boot-answer")
	if _, ok := keptProof(cache, time.Now(), time.Hour); ok {
		t.Error("an answer of no file")
	}
	for _, tt := range []struct {
		reason string
		age    time.Duration
		ok     bool
	}{
		{"", 0, true},
		{"", 1000 * time.Hour, true},
		{"", -time.Hour, true},
		{"a test guest failed: killed", 0, true},
		{"a test guest failed: killed", 59 * time.Minute, true},
		{"a test guest failed: killed", time.Hour, false},
		{"a test guest failed: killed", -time.Minute, false},
	} {
		if err := storeProof(cache, tt.reason); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(cache)
		if err != nil {
			t.Fatal(err)
		}
		reason, ok := keptProof(cache, info.ModTime().Add(tt.age), time.Hour)
		if ok != tt.ok || reason != tt.reason {
			t.Errorf("%q, %v old: %q, %v", tt.reason, tt.age, reason, ok)
		}
	}
	if _, ok := keptProof(cache, time.Now(), 0); ok {
		t.Error("who looks anew finds an answer against KVM")
	}
}

// TestFileSize: a machine whose memory this process may not make is refused, with the limit.
func TestFileSize(t *testing.T) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &own); err != nil {
		t.Fatal(err)
	}
	set := func(cur uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: cur, Max: own.Max}); err != nil {
			t.Fatal(err)
		}
	}
	const mib = 1 << 20
	set(min(own.Max, 256*mib))
	defer set(own.Cur)
	if err := checkFileSize(256 * mib); err != nil {
		t.Error(err)
	}
	err := checkFileSize(257 * mib)
	if err == nil || !strings.Contains(err.Error(), "262144 KiB at most") {
		t.Error(err)
	}
}
