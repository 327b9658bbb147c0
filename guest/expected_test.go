//go:build tamago

package guest

import (
	"debug/buildinfo"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestExecutable: the program finds and reads its own image.
func TestExecutable(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(exe)
	if err != nil || !strings.HasPrefix(info.GoVersion, "go1.") {
		t.Errorf("build information of %s: %v, %v", exe, info, err)
	}
	st, err := os.Stat("/proc/self/exe")
	if err != nil || st.Size() < 1<<20 || st.Mode() != 0o755 {
		t.Errorf("/proc/self/exe: %v, %v", st, err)
	}
	if maps, _ := os.ReadFile("/proc/self/maps"); !strings.Contains(string(maps), " r-xp ") || !strings.Contains(string(maps), exe+"\n") {
		t.Errorf("the image is not mapped:\n%s", maps)
	}
	if err := os.WriteFile(exe, nil, 0o755); err == nil {
		defer os.Remove(exe)
		if now, err := os.Readlink("/proc/self/exe"); err != nil || now == exe {
			t.Errorf("with another file at its path the image is %s, %v", now, err)
		}
	}
}

// TestSelf: what /proc says of the process agrees with what the process knows.
func TestSelf(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	pid := strconv.Itoa(os.Getpid())
	if s := strings.Join(os.Args, "\x00") + "\x00"; read("/proc/"+pid+"/cmdline") != s {
		t.Errorf("cmdline %q", read("/proc/self/cmdline"))
	}
	name := filepath.Base(os.Args[0])
	if name = name[:min(len(name), 15)]; read("/proc/self/comm") != name+"\n" || !strings.Contains(read("/proc/self/status"), "Name:\t"+name+"\n") {
		t.Errorf("name %q", read("/proc/self/comm"))
	}
	host, _ := os.Hostname()
	if read("/proc/sys/kernel/hostname") != host+"\n" {
		t.Errorf("host %q, not %q", read("/proc/sys/kernel/hostname"), host)
	}
	if f := strings.Fields(read("/proc/self/stat")); len(f) != 52 || f[0] != pid {
		t.Errorf("stat has %d fields", len(f))
	}
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
	}
	if f := strings.Fields(read("/proc/thread-self/stat")); len(f) > 13 && f[13] == "0" {
		t.Error("no time on the CPU")
	}
}

// TestExpectedFiles: what programs expect of any system is there, whatever the root.
func TestExpectedFiles(t *testing.T) {
	for _, name := range []string{
		"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/hostname", "/etc/nsswitch.conf", "/etc/os-release", "/etc/protocols",
		"/sys/devices/system/cpu/online", "/proc/loadavg", "/proc/sys/kernel/random/boot_id", "/proc/net/dev", "/proc/1/limits",
	} {
		if b, err := os.ReadFile(name); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if u, err := user.Current(); err != nil || u.Username != "root" || u.Uid != "0" {
		t.Errorf("user %v, %v", u, err)
	}
	if st, err := os.Stat("/dev/shm"); err != nil || st.Mode() != fs.ModeDir|fs.ModeSticky|0o777 {
		t.Errorf("/dev/shm: %v, %v", st, err)
	}
}
