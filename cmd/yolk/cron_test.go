package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestGuestCron runs yolk as cron does: a session without a terminal, nothing on standard
// input, the output a pipe, and an environment that has a home and two directories of
// programs. The toolchain and what tests are told of it are there.
func TestGuestCron(t *testing.T) {
	needGuest(t)
	dir, root := program(t, "streams"), sharedDir(t)
	for _, machine := range machines {
		cmd := yolkCommand(t, "/", "run", "-q", "--timeout", "300s", "--machine", machine, "--root", root, dir, "once")
		cmd.Env = []string{"HOME=" + os.Getenv("HOME"), "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "LOGNAME=cron"}
		for _, name := range []string{"TAMAGO", "XDG_CACHE_HOME", "GOCACHE", "GOPROXY", "GOMODCACHE", "GOPATH"} {
			if value := os.Getenv(name); value != "" {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
		}
		if _, err := os.Stat("/usr/bin/go"); err != nil { // then it is not where cron looks
			toolchain, err := goCommandOutput("env", "GOROOT")
			if err != nil {
				t.Fatal(err)
			}
			cmd.Env[1] += ":" + filepath.Join(toolchain, "bin")
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if got := runCommand(t, cmd); got.status != 0 || got.stdout != "a line\n" || strings.TrimSpace(serverNote.ReplaceAllString(got.stderr, "")) != "" {
			t.Errorf("%s: %+v", machine, got)
		}
	}
}
