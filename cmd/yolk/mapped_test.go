package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/qemu"
)

// TestGuestMapped: what a guest stores into a mapped file is on the host after
// msync, after a while, and when the guest has ended.
func TestGuestMapped(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "mapped")
	root := t.TempDir()
	path := filepath.Join(root, "f")
	file := func(page1 string) []byte {
		b := bytes.Repeat([]byte("."), 4096+2000)
		copy(b[4096:], page1)
		return b
	}
	has := func(want string) bool {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Equal(b, file(want))
	}
	for _, daemon := range []qemu.Daemon{qemu.Virtiofsd, qemu.Builtin} {
		if daemon == qemu.Virtiofsd && os.Geteuid() != 0 {
			continue
		}
		for i, c := range []struct {
			how    string
			status int
			want   string
		}{
			{"return", 0, "returned"}, {"exit", 3, "exited"}, {"fault", 2, ""}, {"msync", 0, "synced"}, {"wait", 0, "waited"},
		} {
			t.Run(string(daemon)+"/"+c.how, func(t *testing.T) {
				if err := os.WriteFile(path, file(""), 0o666); err != nil {
					t.Fatal(err)
				}
				cmd := yolkCommand(t, dir, "run", "-q", "--daemon", string(daemon), "--machine", machines[i%2], "--root", root, ".", "--", c.how)
				in, out := pipes(t, cmd.StdinPipe, cmd.StdoutPipe)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					cmd.Process.Kill()
					cmd.Wait()
				})
				line := func() string {
					s, err := out.ReadString('\n')
					if err != nil {
						t.Error(err)
					}
					return strings.TrimSuffix(s, "\n")
				}
				switch c.how {
				case "msync":
					line()
					if !has("synced") {
						t.Error("msync has returned, and the host does not have it")
					}
					f, err := os.OpenFile(path, os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					f.WriteAt([]byte("host"), 0)
					f.Close()
					time.Sleep(1100 * time.Millisecond) // what the guest may believe of the file
					io.WriteString(in, "\n")
					if got := line(); got != `"....."` && got != `"host."` {
						t.Errorf("before MS_INVALIDATE the mapping has %s", got)
					}
					if got := line(); got != `"host." "synced"` {
						t.Errorf("after MS_INVALIDATE the mapping has %s", got)
					}
				case "wait":
					line()
					for end := time.Now().Add(2 * time.Minute); !has(c.want); time.Sleep(50 * time.Millisecond) {
						if time.Now().After(end) {
							t.Fatal("the host still does not have it")
						}
					}
					io.WriteString(in, "\n")
				}
				io.Copy(io.Discard, out)
				cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != c.status {
					t.Errorf("status %d, want %d: %s", got, c.status, stderr.String())
				}
				switch {
				case c.how == "fault" && !strings.Contains(stderr.String(), "unexpected fault address"):
					t.Errorf("it ended with %s", stderr.String())
				case c.how != "msync" && c.how != "fault" && !has(c.want):
					t.Error("the guest has ended, and the host does not have it")
				}
			})
		}
	}
}

func pipes(t *testing.T, stdin func() (io.WriteCloser, error), stdout func() (io.ReadCloser, error)) (io.WriteCloser, *bufio.Reader) {
	in, err := stdin()
	if err != nil {
		t.Fatal(err)
	}
	out, err := stdout()
	if err != nil {
		t.Fatal(err)
	}
	return in, bufio.NewReader(out)
}
