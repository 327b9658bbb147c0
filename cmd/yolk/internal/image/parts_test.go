package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestTargetFlags(t *testing.T) {
	const base = "-ldflags=-s -w " + linkFlags
	for _, tt := range []struct {
		flags, goflags []string
		tags           string
		rest           []string
	}{
		{nil, nil, "", []string{base}},
		{[]string{"-v", "-tags=a,b", "-x"}, []string{"-tags=c"}, ",a,b", []string{base, "-v", "-x"}},
		{[]string{"-tags=", "-v"}, []string{"-tags=c"}, "", []string{base, "-v"}},
		{[]string{"-tags=a", "-tags", "b c"}, nil, ",b,c", []string{base}},
		{nil, []string{"-tags=c", "-ldflags=-s"}, ",c", []string{base, "-ldflags=-s -w -s " + linkFlags}},
		{[]string{"--tags", "a", "--ldflags", "-s"}, nil, ",a", []string{base, "-ldflags=-s -w -s " + linkFlags}},
		{[]string{"-o", "x"}, []string{"-ldflags=-w=0"}, "", []string{base, "-ldflags=-s -w -w=0 " + linkFlags, "-o", "x"}},
		{[]string{"-ldflags=-X 'main.a=b c=d'"}, nil, "", []string{base, "-ldflags=-s -w -X 'main.a=b c=d' " + linkFlags}},
		{[]string{"-ldflags=all=-s", "-ldflags=./x= -X a=b "}, nil, "",
			[]string{base, "-ldflags=all=-s -w -s " + linkFlags, "-ldflags=./x=-s -w -X a=b " + linkFlags}},
		{[]string{"-ldflags=nonsense", "-ldflags="}, nil, "", []string{base, "-ldflags=nonsense", base}},
	} {
		tags, all := targetFlags(tt.flags, tt.goflags, smallFlags, linkFlags)
		if want := append([]string{"-tags=" + buildTags + tt.tags}, tt.rest...); tags != buildTags+tt.tags || !slices.Equal(all, want) {
			t.Errorf("%q, %q: got %q, %q, want %q", tt.flags, tt.goflags, tags, all, want)
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
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, err := unpack(base, files)
			if err != nil || !intact(dir, files) {
				t.Errorf("%s: %v", dir, err)
			}
		})
	}
	wg.Wait()
	dir, err := unpack(base, files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "a/b/c.go"), 3); err != nil {
		t.Fatal(err)
	}
	if again, err := unpack(base, files); err != nil || again != dir || !intact(dir, files) {
		t.Errorf("not repaired: %v", err)
	}
	if left, _ := filepath.Glob(base + "/*"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
