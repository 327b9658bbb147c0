package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuestLinux builds the files of a module as for Linux, in every way that
// there is to build them.
func TestGuestLinux(t *testing.T) {
	needGuest(t)
	if testing.Short() {
		t.Skip("builds in many ways")
	}
	const (
		all  = "name linux, name linux_amd64, tag linux, tag linux && !cgo && amd64, tag unix, tag !windows\n"
		want = all + "assembly 1\nonly for Linux linux\ntamago no tamago\n"
	)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "linux"))); err != nil {
		t.Fatal(err)
	}
	check := func(name, dir, want string, args ...string) {
		t.Helper()
		if got := runCommand(t, yolkCommand(t, dir, args...)); got.status != 0 || !strings.HasSuffix(got.stdout, want) {
			t.Errorf("%s: %+v\nwant %s", name, got, want)
		}
	}
	check("run", dir, want, "run", "-q", ".")
	check("test", dir, "", "test", ".")
	check("list", dir, "1 0\n7 6\n", "go", "list", "-f", "{{len .GoFiles}} {{len .Imports}}", "./onlylinux", ".")
	check("pattern", dir, "example.com/linux/onlylinux\n", "go", "list", "-f", "{{if eq .Name \"onlylinux\"}}{{.ImportPath}}{{end}}", "./...")
	check("vet", dir, "", "go", "vet", ".", "./onlylinux")

	// Files by name are taken whatever their tags; what they import is matched.
	file := filepath.Join(dir, "one", "one.go")
	write(t, file, "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/linux/onlylinux\"\n)\n\nfunc main() { fmt.Println(onlylinux.Name) }\n")
	check("run of a file", dir, "only for Linux\n", "run", "-q", file)

	// The module as a dependency: in a workspace, and vendored.
	other := t.TempDir()
	write(t, filepath.Join(other, "prog", "go.mod"), "module example.com/prog\n\ngo 1.26\n\nrequire example.com/linux v0.0.0\n\nreplace example.com/linux => "+dir+"\n")
	write(t, filepath.Join(other, "prog", "main.go"), "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/linux/knows\"\n\t\"example.com/linux/onlylinux\"\n)\n\nfunc main() { fmt.Println(onlylinux.Name, knows.Name) }\n")
	const uses = "only for Linux tamago\n"
	check("replaced", filepath.Join(other, "prog"), uses, "run", "-q", ".")
	vendor := exec.Command("go", "mod", "vendor")
	vendor.Dir = filepath.Join(other, "prog")
	if out, err := vendor.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check("vendored", filepath.Join(other, "prog"), uses, "run", "-q", ".")
	if err := os.RemoveAll(filepath.Join(other, "prog", "vendor")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(other, "prog", "go.mod"), "module example.com/prog\n\ngo 1.26\n")
	write(t, filepath.Join(other, "go.work"), "go 1.26\n\nuse ./prog\nuse "+dir+"\n")
	check("workspace", filepath.Join(other, "prog"), uses, "run", "-q", ".")
}

// TestGuestBuildInfo: a program of a module in the module cache knows its version
// and the Go's, and nothing of the directory that it was built in.
func TestGuestBuildInfo(t *testing.T) {
	needGuest(t)
	file := filepath.Join(t.TempDir(), "hello")
	if got := runCommand(t, yolkCommand(t, t.TempDir(), "build", "-o", file, "github.com/hanwen/go-fuse/v2/example/hello@v2.12.1")); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if m := info.Main; m.Path != "github.com/hanwen/go-fuse/v2" || m.Version != "v2.12.1" || m.Replace != nil || !strings.HasPrefix(m.Sum, "h1:") {
		t.Errorf("main module %+v", m)
	}
	if !regexp.MustCompile(`^go1\.\d+(\.\d+)?$`).MatchString(info.GoVersion) {
		t.Errorf("built by %s, want the version that it has on Linux", info.GoVersion)
	}
}

// write makes a file and the directory that it is in.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGuestXsysVersions builds with versions of golang.org/x/sys of ten years.
func TestGuestXsysVersions(t *testing.T) {
	needGuest(t)
	const main = "package main\n\nimport (\n\t\"fmt\"\n\n\t\"golang.org/x/sys/unix\"\n)\n\nfunc main() {\n\tvar st unix.Stat_t\n\terr := unix.Stat(\"/\", &st)\n\tvar tv unix.Timeval\n\tfmt.Println(err, st.Mode&unix.S_IFMT == unix.S_IFDIR, unix.Getuid(), unix.Gettimeofday(&tv), tv.Sec > 1e9)\n}\n"
	for version, sums := range map[string][2]string{
		"v0.0.0-20180909124046-d0be0721c37e": {"h1:o3PsSEY8E4eXWkXrIP9YJALUkVZqzHJT5DOasTyn8Vs=", "h1:STP8DvDyc/dI5b8T5hshtkjS+E42TnysNCUPdjciGhY="}, // without go.mod
		"v0.6.0":                             {"h1:MVltZSvRTcU2ljQOhs94SXPftV6DCNnZViHeQps87pQ=", "h1:oPkhp1MJrh7nUepCBck5+mAzfO9JrbApNNgaTdGDITg="},
		"v0.24.0":                            {"h1:Twjiwq9dn6R1fQcyiK+wQyHWfaz/BJB+YIpzU/Cv3Xg=", "h1:/VUhepiaJMQUp4+oa/7Zr1D23ma6VTLIYjOOTFZPUcA="},
		"v0.49.0":                            {"h1:XbzkgYJHdqh/8m2Uu0W/dQv8nktxx4BFHp1M0gROTXA=", "h1:hNLxWAXmnKAxqDtdwIYC4bM9oQPEecfsnNMuSxOs3og="},
	} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			const module = "golang.org/x/sys "
			write(t, filepath.Join(dir, "go.mod"), "module example.com/prog\n\ngo 1.26\n\nrequire "+module+version+"\n")
			write(t, filepath.Join(dir, "go.sum"), module+version+" "+sums[0]+"\n"+module+version+"/go.mod "+sums[1]+"\n")
			write(t, filepath.Join(dir, "main.go"), main)
			if got := runCommand(t, yolkCommand(t, dir, "run", "-q", ".")); got.status != 0 || got.stdout != "<nil> true 0 <nil> true\n" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestGuestInstruction does system calls by the instruction SYSCALL, which keeps
// the registers that it keeps on Linux. It links however the runtime is compiled:
// what is below the instruction has only the room on the stack that there always is.
func TestGuestInstruction(t *testing.T) {
	needGuest(t)
	dir := filepath.Join("testdata", "instruction")
	const want = "pid true kept true \nbad file descriptor kept true \n"
	for _, flags := range []string{"", "all=-N", "all=-l", "all=-N -l"} {
		if flags != "" && testing.Short() {
			continue // compiles all there is
		}
		if got := runCommand(t, yolkCommand(t, dir, "run", "-q", "-gcflags="+flags, ".")); got.status != 0 || got.stdout != want {
			t.Errorf("compiled with %q: %+v", flags, got)
		}
	}
}
