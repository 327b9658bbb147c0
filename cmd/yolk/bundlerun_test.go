package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is a bundle that serves, on a port of its own.
type service struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	out    bytes.Buffer // both streams
	ended  chan struct{}
	client http.Client
}

// serveBundle starts what a bundle starts, made by command for a port in place of 18080, and
// returns when it serves. A port that somebody else takes meanwhile is tried no more.
func serveBundle(t *testing.T, command func(port string) *exec.Cmd) *service {
	t.Helper()
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		l.Close()
		s := &service{t: t, cmd: command(port), url: "http://127.0.0.1:" + port, ended: make(chan struct{})}
		s.client.Transport = &http.Transport{DisableKeepAlives: true}
		s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			_ = s.cmd.Wait() // its state tells
			close(s.ended)
		}()
		t.Cleanup(func() {
			_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
			<-s.ended
		})
		for {
			if text, err := s.get("/healthz"); err == nil && text == "ok\n" {
				return s
			}
			select {
			case <-s.ended:
			case <-time.After(100 * time.Millisecond):
				continue
			}
			break
		}
		if !strings.Contains(s.out.String(), "in use") && !strings.Contains(s.out.String(), "set up host forwarding") {
			t.Fatalf("%v: %v: %s", s.cmd.Args, s.cmd.ProcessState, &s.out)
		}
	}
	t.Fatal("no free port")
	return nil
}

func (s *service) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		return "", err
	}
	reply, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	return string(text), err
}

// stop asks the service to end while a request is under way, and checks that this is
// finished, that the program has had the signal, and its status.
func (s *service) stop(status int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/wait", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	reply, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	lines := bufio.NewScanner(reply.Body)
	if !lines.Scan() || lines.Text() != "begun" {
		s.t.Fatalf("%q, %v", lines.Text(), lines.Err())
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "finished" {
		s.t.Errorf("the request that was under way: %q, %v", lines.Text(), lines.Err())
	}
	<-s.ended
	if code := s.cmd.ProcessState.ExitCode(); code != status || !strings.Contains(s.out.String(), "drained") {
		s.t.Errorf("%v, want status %d: %s", s.cmd.ProcessState, status, &s.out)
	}
}

// replacedPort writes a script of a bundle anew with another port, and returns its command.
func replacedPort(t *testing.T, bundle, script, port string) *exec.Cmd {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bundle, script))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("18080")) {
		t.Fatalf("no port in %s", text)
	}
	name := filepath.Join(bundle, script+"-"+port)
	if err := os.WriteFile(name, bytes.ReplaceAll(text, []byte("18080"), []byte(port)), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(name) })
	return exec.Command(name)
}

// volumes makes the directories of the bundle's volumes.
func volumes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"conf/conf": "a setting", "tls/key": "a secret", "data/visits": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const answered = "args [\"two words\"]\nmode \"prod\"\n/hello.txt hello\n/etc/app/conf a setting\n/etc/tls/key a secret\nvisits %d\n"

// TestGuestBundleStart: the start script starts a machine that has its root, arguments and
// environment in the image and its volumes beside it, keeps its data, and ends as the
// program does.
func TestGuestBundleStart(t *testing.T) {
	bundle := filepath.Join(bundles(t), "one")
	dir := volumes(t)
	for visit := range 2 {
		s := serveBundle(t, func(port string) *exec.Cmd {
			cmd := replacedPort(t, bundle, "start", port)
			cmd.Env = append(os.Environ(), "VOLUMES="+dir)
			return cmd
		})
		if text, err := s.get("/"); err != nil || text != fmt.Sprintf(answered, visit+1) {
			t.Errorf("%q, %v", text, err)
		}
		s.stop(3)
	}
}

// TestGuestBundleQEMU: the other script does the same without yolk, and hands on other
// arguments.
func TestGuestBundleQEMU(t *testing.T) {
	bundle := filepath.Join(bundles(t), plainBundle)
	for _, args := range [][]string{nil, {"-status", "130", `a "b" \c`, ""}} {
		s := serveBundle(t, func(port string) *exec.Cmd {
			cmd := replacedPort(t, bundle, "start-qemu", port)
			cmd.Args = append(cmd.Args, args...)
			cmd.Env = append(os.Environ(), "ACCEL=tcg")
			return cmd
		})
		want, status := []string{"two words"}, 3
		if args != nil {
			want, status = args[2:], 130
		}
		text, err := s.get("/")
		if err != nil || !strings.HasPrefix(text, fmt.Sprintf("args %q\nmode \"prod\"\n/hello.txt hello\n", want)) {
			t.Errorf("%q, %v", text, err)
		}
		s.stop(status)
	}
}

// TestGuestBundleContainer: the OCI image, unpacked, has all that it needs: its entry point
// serves in a root directory that has nothing else, without rights.
func TestGuestBundleContainer(t *testing.T) {
	bundle := filepath.Join(bundles(t), "one")
	// A user's own namespaces stand for those of a container.
	namespaces := []string{"unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"}
	if out, err := exec.Command(namespaces[0], append(namespaces[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no namespaces for this user: %v: %s", err, out)
	}
	rootfs := t.TempDir()
	config := unpackImage(t, filepath.Join(bundle, "app.oci.tar"), rootfs)
	if config.User != "65532:65532" || config.StopSignal != "SIGTERM" || len(config.ExposedPorts) != 1 {
		t.Errorf("%+v", config)
	}
	dir := volumes(t)
	const inside = `set -e
root=$1 volumes=$2
shift 2
mkdir "$root"/proc "$root"/dev
mount -t proc proc "$root"/proc
mount -t tmpfs none "$root"/dev
for d in null zero full random urandom; do
	: >"$root"/dev/$d
	mount --bind /dev/$d "$root"/dev/$d
done
ln -s /proc/self/fd "$root"/dev/fd
for v in data conf tls; do
	mount --bind "$volumes"/$v "$root"/volumes/$v
done
exec env -i "$@"
`
	chroot, err := exec.LookPath("chroot")
	if err != nil {
		chroot = "/usr/sbin/chroot" // which is not in every user's PATH
	}
	s := serveBundle(t, func(port string) *exec.Cmd {
		list := append(namespaces[1:], "sh", "-c", inside, "sh", rootfs, dir)
		list = append(append(list, config.Env...), chroot, rootfs)
		for _, word := range config.Entrypoint {
			list = append(list, strings.ReplaceAll(word, "18080", port))
		}
		for _, name := range []string{"proc", "dev"} {
			os.Remove(filepath.Join(rootfs, name)) // of another try
		}
		return exec.Command(namespaces[0], list...)
	})
	if text, err := s.get("/"); err != nil || text != fmt.Sprintf(answered, 1) {
		t.Errorf("%q, %v", text, err)
	}
	s.stopContainer(3)
}

// stopContainer is stop for a command that does not pass signals on: unshare waits for the
// first process of the namespace, which is the entry point.
func (s *service) stopContainer(status int) {
	s.t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.cmd.Process.Pid))
	var child int
	if n, _ := fmt.Sscan(string(children), &child); n != 1 {
		s.t.Fatalf("children %q, %v", children, err)
	}
	p, err := os.FindProcess(child)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Process = p
	s.stop(status)
}

// containerConfig is what a runtime does with an image.
type containerConfig struct {
	User, StopSignal string
	Entrypoint, Env  []string
	ExposedPorts     map[string]struct{}
}

// unpackImage unpacks the layers of an archive that docker load takes.
func unpackImage(t *testing.T, archive, rootfs string) containerConfig {
	t.Helper()
	files := map[string][]byte{}
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var list []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(files["manifest.json"], &list); err != nil || len(list) != 1 || len(list[0].Layers) != 2 || !strings.HasPrefix(list[0].RepoTags[0], "app:") {
		t.Fatalf("%v: %s", err, files["manifest.json"])
	}
	var image struct{ Config containerConfig }
	if err := json.Unmarshal(files[list[0].Config], &image); err != nil {
		t.Fatal(err)
	}
	for _, name := range list[0].Layers {
		z, err := gzip.NewReader(bytes.NewReader(files[name]))
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(rootfs, h.Name)
			switch h.Typeflag {
			case tar.TypeDir:
				err = os.MkdirAll(to, 0o755)
			case tar.TypeReg:
				var data []byte
				if data, err = io.ReadAll(r); err == nil {
					err = os.WriteFile(to, data, fs.FileMode(h.Mode))
				}
			default:
				err = fmt.Errorf("%s has type %c", h.Name, h.Typeflag)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return image.Config
}
