package qemu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Examine tells what this package finds on the machine, a line each.
func Examine(ctx context.Context, tell func(name, state string)) {
	path, err := FindQEMU()
	if err != nil {
		tell("qemu", "missing: "+emulator+" is not in PATH")
	} else {
		tell("qemu", path+", "+version(ctx, path))
	}
	tell("virtio-fs", examineServers())
	for _, m := range []Machine{MicroVM, Q35} {
		if path != "" {
			tell("acceleration, "+string(m), examineAccel(ctx, m))
		}
	}
}

func examineServers() string {
	s, note, err := chooseServer(AutoDaemon)
	switch {
	case err != nil:
		return err.Error()
	case s.path == "":
		return "built-in server (" + note + ")"
	}
	return fmt.Sprintf("%s, %v dialect; built-in server as well", s.path, s.dialect)
}

func examineAccel(ctx context.Context, m Machine) string {
	accel, reason, err := ChooseAccel(ctx, Auto, m, nil)
	switch {
	case err != nil:
		return err.Error()
	case accel == KVM:
		return "kvm, proved by booting a guest"
	}
	if _, err := os.Stat("/dev/kvm"); err == nil && strings.HasSuffix(reason, os.ErrPermission.Error()) {
		reason += "; join the group that owns it"
	}
	return "tcg (" + reason + ")"
}

// version returns the first line that a program prints about itself.
func version(ctx context.Context, path string) string {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
