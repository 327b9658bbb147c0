package passthrough

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fusefs"
)

// userEnv, if set, has the test binary serve that directory and use it as the
// user that it runs as.
const userEnv = "PASSTHROUGH_TEST_USER"

const nobody = 65534

// TestOrdinaryUser runs server and client as a user without rights: what that
// user may do works, and what it may not is refused by the host.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		dir := t.TempDir()
		if got := asUser(dir); got != 0 {
			t.Errorf("%d steps went wrong", got)
		}
		return
	}
	// The user has to reach the directory and the test binary.
	dir, err := os.MkdirTemp("/tmp", "yolk-user-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "test"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root")
	os.Chmod(dir, 0o755)
	os.Mkdir(root, 0o755)
	os.Chown(root, nobody, nobody)
	os.WriteFile(filepath.Join(root, "roots"), []byte("not yours"), 0o600)
	os.Mkdir(filepath.Join(root, "rootsdir"), 0o700)
	cmd := exec.Command(filepath.Join(dir, "test"))
	cmd.Env = append(os.Environ(), userEnv+"="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(root, "mine"), &st); err != nil || st.Uid != nobody {
		t.Errorf("what the user made is of user %d (%v)", st.Uid, err)
	}
}

// asUser returns how many steps went wrong.
func asUser(dir string) (wrong int) {
	s, err := New(dir, Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer s.Close()
	f, err := fusefs.Mount(transport{s}, fusefs.Options{Logf: func(format string, args ...any) {}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer f.Close()
	k := fstest.NewKernel(f)
	step := func(what string, got, want syscall.Errno) {
		if got != want {
			fmt.Printf("%s: %v, want %v\n", what, got, want)
			wrong++
		}
	}
	write := func(name string, flags int, mode uint32) syscall.Errno {
		fd, e := k.Openat(swapCwd, name, flags, mode)
		if e == 0 {
			_, e = k.Write(fd, []byte("text"))
			k.Close(fd)
		}
		return e
	}
	step("create", write("/mine", syscall.O_CREAT|syscall.O_RDWR, 0o600), 0)
	step("create what only can be read", write("/readonly", syscall.O_CREAT|syscall.O_RDWR, 0o400), 0)
	step("write it again", write("/readonly", syscall.O_WRONLY, 0), syscall.EACCES)
	step("write what can be written alone", write("/writeonly", syscall.O_CREAT|syscall.O_WRONLY, 0o200), 0)
	step("append", write("/mine", syscall.O_APPEND|syscall.O_WRONLY, 0), 0)
	step("mkdir", k.Mkdirat(swapCwd, "/dir", 0o700), 0)
	step("rename", k.Renameat2(swapCwd, "/writeonly", swapCwd, "/dir/new", 0), 0)
	step("symlink", k.Symlinkat("mine", swapCwd, "/link"), 0)
	step("link", k.Linkat(swapCwd, "/mine", swapCwd, "/second", 0), 0)
	step("chmod", k.Fchmodat(swapCwd, "/mine", 0o640, 0), 0)
	step("chown", k.Fchownat(swapCwd, "/mine", 1, 1, 0), syscall.EPERM)
	var st syscall.Stat_t
	if e := k.Fstatat(swapCwd, "/mine", &st, 0); e != 0 || st.Size != 8 || st.Mode != syscall.S_IFREG|0o640 {
		fmt.Printf("stat: %v, %+v\n", e, st)
		wrong++
	}
	if fd, e := k.Openat(swapCwd, "/link", syscall.O_RDONLY, 0); e != 0 {
		step("open by a link", e, 0)
	} else {
		step("lock", k.Flock(fd, syscall.LOCK_EX), 0)
		k.Close(fd)
	}
	step("remove", k.Unlinkat(swapCwd, "/dir/new", 0), 0)
	step("rmdir", k.Unlinkat(swapCwd, "/dir", unix.AT_REMOVEDIR), 0)
	if _, err := os.Stat(filepath.Join(dir, "roots")); err == nil {
		_, e := k.Openat(swapCwd, "/roots", syscall.O_RDONLY, 0)
		step("open root's file", e, syscall.EACCES)
		step("stat in root's directory", k.Fstatat(swapCwd, "/rootsdir/x", &st, 0), syscall.EACCES)
		step("create in root's directory", write("/rootsdir/x", syscall.O_CREAT|syscall.O_WRONLY, 0o600), syscall.EACCES)
	}
	return wrong
}
