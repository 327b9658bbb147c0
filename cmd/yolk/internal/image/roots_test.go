package image

import (
	"crypto/x509"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// TestRoots: the file of the certificates is Go, and what is in it is for x509.
func TestRoots(t *testing.T) {
	files, err := guestFiles()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", files["kernel/roots/bundle_tamago.go"], 0); err != nil {
		t.Error(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(rootsPEM()) {
		t.Fatal("no certificates")
	}
	if n := len(pool.Subjects()); n < 50 { //nolint:staticcheck // it is no pool of the system
		t.Errorf("%d roots of trust", n)
	}
}

func TestLoadsZones(t *testing.T) {
	for text, want := range map[string]bool{
		"package p": false,
		"package p; import \"time\"; var z, _ = time.LoadLocation(\"UTC\")":                                        true,
		"package p; import t \"time\"; var f = t.LoadLocation":                                                     true,
		"package p; import \"time\"; var z, _ = time.LoadLocationFromTZData(\"\", nil)":                            false,
		"package p; import \"time\"; var z, _ = time.LoadLocationFromTZData(\"\", nil); var f = time.LoadLocation": true,
	} {
		file := filepath.Join(t.TempDir(), "p.go")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := loadsZones(file); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !loadsZones(filepath.Join(t.TempDir(), "none.go")) {
		t.Error("a file that cannot be read names nothing")
	}
}

// TestMountsDisks: a file that calls Mount and names a type of file systems of disks has them in the image.
func TestMountsDisks(t *testing.T) {
	for text, want := range map[string]bool{
		`unix.Mount("/dev/vda", "/mnt", "ext4", unix.MS_RDONLY, "")`:    true,
		`const kind = "squashfs"; _ = syscall.Mount(a, b, kind, 0, "")`: true,
		`syscall.Mount("/dev/vda", "/mnt", "erofs", 1, "")`:             true,
		`syscall.Mount("none", "/mnt", "tmpfs", 0, "")`:                 false,
		`fmt.Println("ext4")`: false,
	} {
		file := filepath.Join(t.TempDir(), "a.go")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := mountsDisks(file); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
