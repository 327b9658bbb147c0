//go:build tamago

package network

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestCovered: the files that tell of the network can be written, as in a container,
// and the resolver takes what was written; their names stay. (fs.VFS.Cover; for each
// call: TestCoverLikeLinux.)
func TestCovered(t *testing.T) {
	before := map[string]string{}
	for _, name := range []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"} {
		text, err := os.ReadFile(name)
		if err != nil || len(text) == 0 {
			t.Fatalf("%s: %q, %v: the guest has no network", name, text, err)
		}
		st, err := os.Stat(name)
		if err != nil || st.Size() != int64(len(text)) || st.Mode() != 0o644 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
		before[name] = string(text)
		if err := os.Remove(name); !errors.Is(err, syscall.EBUSY) {
			t.Errorf("removing %s: %v", name, err)
		}
	}
	host, _ := os.Hostname()
	if before["/etc/hostname"] != host+"\n" || !strings.Contains(before["/etc/resolv.conf"], "nameserver ") {
		t.Errorf("%q", before)
	}
	// The kernel's part follows what it knows until somebody else writes.
	if err := syscall.Sethostname([]byte("renamed")); err != nil {
		t.Fatal(err)
	}
	defer syscall.Sethostname([]byte(host))
	if text, err := os.ReadFile("/etc/hostname"); string(text) != "renamed\n" || err != nil {
		t.Errorf("renamed: %q, %v", text, err)
	}
	f, err := os.OpenFile("/etc/hosts", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("192.0.2.7\tnamed.here.example\n")
	if err2 := f.Close(); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if text, err := os.ReadFile("/etc/hosts"); err != nil || !strings.HasPrefix(string(text), "127.0.0.1\tlocalhost\n") || !strings.HasSuffix(string(text), "example\n") {
		t.Errorf("appended: %q, %v", text, err)
	}
	if got, err := net.LookupHost("named.here.example"); err != nil || len(got) != 1 || got[0] != "192.0.2.7" {
		t.Errorf("resolved: %v, %v", got, err)
	}
	const ours = "nameserver 192.0.2.1\n"
	if err := os.WriteFile("/etc/resolv.conf", []byte(ours), 0o644); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile("/etc/resolv.conf"); string(text) != ours || err != nil {
		t.Errorf("written: %q, %v", text, err)
	}
	if err := os.WriteFile("/etc/resolv.new", []byte(ours), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/etc/resolv.new")
	if err := os.Rename("/etc/resolv.new", "/etc/resolv.conf"); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("renamed over: %v", err)
	}
}
