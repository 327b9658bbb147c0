package toolchain

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
)

// fakeGo stands for the stock go command and, copied by itself, for the built
// tools. It counts its builds in $FAKE_LOG and does what $FAKE_DO says there.
const fakeGo = `#!/bin/sh
echo "$@" >>"$FAKE_LOG"
case "$1 $3" in
build\ */)
    eval "$FAKE_DO"
    for tool in go compile asm link; do cp "$0" "$3$tool" || exit 1; done ;;
esac
`

// fakeStock makes a tiny stock Go.
func fakeStock(t *testing.T) *stock {
	t.Helper()
	root := filepath.Join(t.TempDir(), "go")
	for name, data := range map[string]string{
		"VERSION":                             "go1.26.8\ntime 2026-01-01\n",
		"go.env":                              "GOTOOLCHAIN=auto\n",
		"lib/time/update.bash":                "#!/bin/bash\n",
		"pkg/include/textflag.h":              "#define NOSPLIT 4\n",
		"pkg/tool/linux_amd64/vet":            "vet",
		"pkg/tool/linux_amd64/compile":        "old",
		"pkg/tool/linux_amd64/asm":            "old",
		"pkg/tool/linux_amd64/link":           "old",
		"src/internal/buildcfg/zbootstrap.go": "package buildcfg\n\nconst version = `go1.26.8`\n",
		"src/os/file.go":                      "//go:build unix\n\npackage os\n",
		"src/os/testdata/hello":               "hello\n",
		"src/os/other.go":                     "package os\n",
	} {
		write(t, filepath.Join(root, name), data, 0o644)
	}
	write(t, filepath.Join(root, "bin/go"), fakeGo, 0o755)
	t.Setenv("FAKE_LOG", filepath.Join(root, "log"))
	t.Setenv("FAKE_DO", "")
	return &stock{Root: root, Go: filepath.Join(root, "bin/go"), Version: "go1.26.8", Host: "linux_amd64"}
}

func fakeContents() *contents {
	return &contents{
		files: fstest.MapFS{"src/os/file_tamago.go": {Data: []byte("package os\n")}},
		edits: []Edit{Widen{File: "src/os/file.go", Why: "the target has files"}},
	}
}

func write(t *testing.T, name, data string, perm os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), perm); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func fifo(name string) error { return syscall.Mkfifo(name, 0o600) }
