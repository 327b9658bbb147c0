package tools

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// mark is the variable with the word of InNamespace.
const mark = "YOLK_TEST_NAMESPACE"

// Namespace returns the word that InNamespace was given, in the run of the test that it has started; elsewhere "".
func Namespace() string { return os.Getenv(mark) }

// InNamespace runs the test again in a network namespace of its own, where it may change settings. Where there can be none it
// is skipped.
func InNamespace(t *testing.T, word string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+word)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Skipf("no network namespace: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
