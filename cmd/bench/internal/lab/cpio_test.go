package lab

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestArchive(t *testing.T) {
	tool, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip("no cpio to unpack with")
	}
	var a archive
	a.add("d", modeDir, nil)
	a.add("d/odd", modeFile, []byte("hello"))
	a.add("empty", modeFile, nil)
	cmd := exec.Command(tool, "-i", "--quiet")
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(a.end())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]string{"d/odd": "hello", "empty": ""} {
		got, err := os.ReadFile(filepath.Join(cmd.Dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestArchiveLayout holds the offsets: a header of 110 bytes, everything
// aligned to 4.
func TestArchiveLayout(t *testing.T) {
	var a archive
	a.add("abc", modeFile, []byte("12345"))
	b := a.Bytes()
	if len(b) != 116+8 || string(b[:6]) != "070701" || string(b[54:62]) != "00000005" || string(b[94:102]) != "00000004" ||
		string(b[110:114]) != "abc\x00" || string(b[116:121]) != "12345" {
		t.Errorf("%q", b)
	}
}
