//go:build tamago

package network

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestCovered: the files that tell of the network can be written, as in a container,
// and the resolver takes what was written. That their names stay, whatever the call, is
// TestCoverLikeLinux's: /etc may be the host's here, and its files are not put at risk.
func TestCovered(t *testing.T) {
	dir, err := os.Stat("/etc")
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, name := range []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"} {
		text, err := os.ReadFile(name)
		if err != nil || len(text) == 0 {
			t.Fatalf("%s: %q, %v: the guest has no network", name, text, err)
		}
		st, err := os.Stat(name)
		if err != nil || st.Size() != int64(len(text)) || st.Mode() != 0o644 {
			t.Fatalf("%s: %v, %v", name, st, err)
		}
		if st.Sys().(*syscall.Stat_t).Dev == dir.Sys().(*syscall.Stat_t).Dev {
			t.Fatalf("%s is a file of the root's, which may be the host's", name)
		}
		before[name] = string(text)
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
}
