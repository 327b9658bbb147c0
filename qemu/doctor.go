package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/yolkos/yolk/toolchain/group"
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
	err = s.try()
	if err != nil && os.Geteuid() == 0 {
		s.chroot = true // as Run does
		err = s.try()
	}
	if err != nil {
		return "built-in server (" + err.Error() + ")"
	}
	return fmt.Sprintf("%s, %v dialect, sandbox %s; built-in server as well", s.path, s.dialect, s.sandbox())
}

// tryTime is how long a virtiofsd is waited for: one that hangs is none.
const tryTime = 30 * time.Second

// try finds out whether a virtiofsd really serves here: many a reason, such as
// a chroot whose root is no mount point, shows only once it has a directory and
// a front-end. The error has its own words.
func (s server) try() error {
	dir, err := os.MkdirTemp("", "yolk-doctor-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	share, err := Share{Tag: "doctor", Dir: dir}.resolved()
	if err != nil {
		return err
	}
	p, conn, keep, err := s.serve(share, nil, nil, nil)
	if err != nil {
		return err
	}
	defer keep.Close()
	defer p.kill()
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tryTime)); err != nil {
		return err
	}
	// GET_FEATURES of vhost-user, its version 1, without a payload.
	if _, err = conn.Write([]byte{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}); err == nil {
		_, err = io.ReadFull(conn, make([]byte, 20))
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s does not answer", s.path)
	}
	<-p.done // it has closed the connection at its end
	return p.end()
}

func examineAccel(ctx context.Context, m Machine) string {
	accel, reason, err := chooseAccel(ctx, Auto, m, nil, 0) // it looks, and has what it finds kept
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
	cmd := exec.CommandContext(ctx, path, "--version")
	var out strings.Builder
	cmd.Stdout = &out
	if err := group.Run(cmd); err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	return line
}
