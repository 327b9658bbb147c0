package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestMergeFlags(t *testing.T) {
	for _, tt := range []struct{ flags, goflags, tags, ldflags, rest string }{
		{"", "", buildTags, "-w " + linkFlags, ""},
		{"-v -tags=a,b -x", "-tags=c", buildTags + ",a,b", "-w " + linkFlags, "-v -x"},
		{"-tags= -v", "-tags=c", buildTags + ",c", "-w " + linkFlags, "-v"},
		{"--tags a --ldflags -s", "", buildTags + ",a", "-w -s " + linkFlags, ""},
		{"-o x", "-ldflags=-w=0", buildTags, "-w -w=0 " + linkFlags, "-o x"},
	} {
		tags, ldflags, rest := mergeFlags(strings.Fields(tt.flags), strings.Fields(tt.goflags))
		got := []string{tags, ldflags, strings.Join(rest, " ")}
		if want := []string{tt.tags, tt.ldflags, tt.rest}; !slices.Equal(got, want) {
			t.Errorf("%q, %q: got %q, want %q", tt.flags, tt.goflags, got, want)
		}
	}
}

func TestSplitFlags(t *testing.T) {
	got := splitFlags(` -a  '-ldflags=-s -w' "-x=y" 'open`)
	if want := []string{"-a", "-ldflags=-s -w", "-x=y", "'open"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVersions(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"1.21", "1.26.4", "1.26.4"}, {"1.27", "1.26.4", "1.27"}, {"", "1.9", "1.9"}, {"1.26.10", "1.26.9", "1.26.10"},
	} {
		if got := newer(tt.a, tt.b); got != tt.want {
			t.Errorf("newer(%q, %q) = %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
	for version, want := range map[string]int{"1.26.4": 26, "1.21rc2": 21, "1.9": 9, "": 16, "1.x": 16} {
		if got := minorOf(version); got != want {
			t.Errorf("minorOf(%q) = %d, want %d", version, got, want)
		}
	}
}

func TestVendorList(t *testing.T) {
	const list = "# a.org/x v1.0.0 => ./x\n## explicit\na.org/x\n# " + tamagoPath + " v1.26.0\n## explicit\n" + tamagoPath + "/bits\n" +
		"# b.org/y v1.0.0 => c.org/z v1.1.0\nb.org/y\n# a.org/x => ./x\n"
	const want = "## workspace\n# a.org/x v1.0.0 => ../user/x\n## explicit\na.org/x\n# b.org/y v1.0.0 => c.org/z v1.1.0\nb.org/y\n# a.org/x => ../user/x\n"
	got := vendorList(list, "/home/user", "/home/scratch", []string{tamagoPath + "/bits"})
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "# "+tamagoPath+" "+tamagoVersion+"\n## explicit; go "+guestGo+"\n"+tamagoPath+"/bits\n") {
		t.Errorf("got\n%s\nwant\n%s and tamago", got, want)
	}
}

func TestGuestFiles(t *testing.T) {
	files, err := guestFiles()
	if err != nil {
		t.Fatal(err)
	}
	if tamagoVersion == "" || guestGo == "" || strings.Count(string(files["go.sum"]), tamagoPath) != 2 {
		t.Errorf("tamago %q, go %q, go.sum %q", tamagoVersion, guestGo, files["go.sum"])
	}
	if len(files["fs/fs.go"]) == 0 {
		t.Error("no fs/fs.go")
	}
}

func TestUnpack(t *testing.T) {
	base := t.TempDir()
	files := map[string][]byte{"go.mod": []byte("module m\n"), "a/b/c.go": []byte("package b\n")}
	links := map[string]string{"l": "a/b"}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, err := unpack(base, files, links)
			if err != nil || !intact(dir, files, links) {
				t.Errorf("%s: %v", dir, err)
			}
		})
	}
	wg.Wait()
	dir, err := unpack(base, files, links)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "a/b/c.go"), 3); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	if again, err := unpack(base, files, links); err != nil || again != dir || !intact(dir, files, links) {
		t.Errorf("not repaired: %v", err)
	}
	if left, _ := filepath.Glob(base + "/*"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
