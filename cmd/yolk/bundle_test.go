package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestBundleBadInput: what is wrong is told before anything is built, and nothing is left.
func TestBundleBadInput(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(full+"/x", 0o700); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for args, want := range map[string]string{
		".":                                                          "-o DIR",
		"-o " + out:                                                  "no package",
		"-o " + full + " .":                                          "not empty",
		"-o " + out + " --name Ä .":                                  "--name",
		"-o " + out + " --name x -p 0:80 .":                          "other than 0",
		"-o " + out + " --name x -p 70000:80 .":                      "--publish",
		"-o " + out + " --name x --volume data .":                    "NAME:/guest/path",
		"-o " + out + " --name x --volume data:/ .":                  "--root",
		"-o " + out + " --name x --mem 1M .":                         "20M at least",
		"-o " + out + " --name x --cpus 0 .":                         "from 1 to",
		"-o " + out + " --name x --prefix /home/x .":                 "does not see",
		"-o " + out + " --name x --probe / .":                        "--publish",
		"-o " + out + " --name x --share-root .":                     "no --root",
		"-o " + out + " --name x --share-root --root . --writable .": "--volume",
		"-o " + out + " --name x --pcap f .":                         "--pcap",
		"-o " + out + " --name x --net tap=t -p 1:1 .":               "--publish",
		"-o " + out + " --name x --disk d .":                         "--disk",
		"-o " + out + " --name x --stop-timeout 0s .":                "--stop-timeout",
		"-o " + out + " --name x --net none" + strings.Repeat(" --volume a:/a", 9) + " .": "room for",
	} {
		cmd := root()
		cmd.SetArgs(append([]string{"bundle"}, strings.Fields(args)...))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left: %v, %v", list, err)
	}
}

// deployed is the program of testdata/deploy, in bundles.
var deployed struct {
	sync.Once
	dir string
	err error
}

const plainBundle = "a/app/site/plain"

// bundles returns a directory with the bundles "one", "two", which is the same, and "plain",
// which has no volumes and lies in its own root.
func bundles(t *testing.T) string {
	t.Helper()
	needGuest(t)
	deployed.Do(func() {
		if deployed.dir, deployed.err = os.MkdirTemp("", "yolk-test-"); deployed.err != nil {
			return
		}
		removeAtEnd = append(removeAtEnd, deployed.dir)
		for _, where := range []string{"a", "b/c"} {
			source := filepath.Join(deployed.dir, where, "app")
			for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.24\n", "site/hello.txt": "hello\n"} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(source, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			main, err := os.ReadFile("testdata/deploy/main.go")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(source+"/main.go", main, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		common := []string{"bundle", "-p", "18080:80", "--root", "site", "--args", "-status 3 'two words'", "--env", "MODE=prod", "--probe", "/healthz", "--stop-timeout", "10m"}
		volumes := []string{"--volume", "data:/data", "--config", "conf:/etc/app", "--secret", "tls:/etc/tls", "--replicas", "2", "."}
		for _, b := range []struct {
			source, out string
			options     []string
		}{{"a", "one", volumes}, {"b/c", "two", volumes}, {"a", plainBundle, []string{"--no-oci", "."}}} {
			options := append(append([]string{}, common...), "-o", filepath.Join(deployed.dir, b.out))
			if got := runCommand(t, yolkCommand(t, filepath.Join(deployed.dir, b.source, "app"), append(options, b.options...)...)); got.status != 0 {
				t.Fatalf("%+v", got)
			}
		}
	})
	if deployed.err != nil || t.Failed() {
		t.Fatal(deployed.err)
	}
	return deployed.dir
}

// TestGuestBundleSame: bundles of the same sources are the same, wherever they are made, have
// what they should, and the image tells its modules.
func TestGuestBundleSame(t *testing.T) {
	dir := bundles(t)
	one, two := sums(t, filepath.Join(dir, "one")), sums(t, filepath.Join(dir, "two"))
	for _, name := range []string{"app.elf", "yolk", "start", "app.service", "libvirt.xml", "kubernetes.yaml", "kubevirt.yaml", "nomad.json", "cloud-hypervisor.json", "app.cdx.json", "app.oci.tar"} {
		if one[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	for name, sum := range one {
		if two[name] != sum {
			t.Errorf("%s is not the same", name)
		}
	}
	if len(one) != 11 || len(two) != len(one) {
		t.Errorf("%d and %d files, want 11: %v", len(one), len(two), one)
	}
	plain := sums(t, filepath.Join(dir, plainBundle))
	if _, there := plain["kubernetes.yaml"]; there || len(plain) != 9 {
		t.Errorf("without a container: %v", plain)
	}
	if image, err := os.ReadFile(filepath.Join(dir, plainBundle, "app.elf")); err != nil || bytes.Contains(image, []byte(".plain-")) {
		t.Errorf("%v: the bundle is in its own root", err)
	}
	info, err := buildinfo.ReadFile(filepath.Join(dir, "one", "app.elf"))
	if err != nil || info.Main.Path != "example.com/app" || len(info.Deps) == 0 {
		t.Errorf("%+v, %v", info, err)
	}
	list, err := os.ReadFile(filepath.Join(dir, "one", "app.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"pkg:golang/example.com/app\"", "pkg:golang/gvisor.dev/gvisor@v", "pkg:golang/github.com/usbarmory/tamago@v", "pkg:golang/std@1."} {
		if !bytes.Contains(list, []byte(module)) {
			t.Errorf("no %s in %s", module, list)
		}
	}
	if bytes.Contains(list, []byte(dir)) {
		t.Error("the list of modules knows where it was made")
	}
}

// sums are the modes and checksums of the files of a directory.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		info, err2 := d.Info()
		if err == nil {
			err = err2
		}
		if err == nil {
			files[strings.TrimPrefix(name, dir+"/")] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGuestBundleFails: a bundle that fails when most of it is there leaves nothing.
func TestGuestBundleFails(t *testing.T) {
	source := filepath.Join(bundles(t), "a", "app")
	parent := t.TempDir()
	cmd := yolkCommand(t, source, "bundle", "-o", filepath.Join(parent, "out"), "-p", "18080:80", ".")
	cmd.Env = append(os.Environ(), "PATH=/nonexistent") // of QEMU
	got := runCommand(t, cmd)
	if got.status != 125 || !strings.Contains(got.stderr, "--no-oci") {
		t.Errorf("%+v", got)
	}
	if list, err := os.ReadDir(parent); err != nil || len(list) > 0 {
		t.Errorf("left: %v, %v", list, err)
	}
}
