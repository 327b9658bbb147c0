package amd64

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
)

// archive makes a tar archive; a name that ends in "/" is a directory.
func archive(t testing.TB, files ...[2]string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o644, Format: tar.FormatUSTAR, Typeflag: tar.TypeReg}
		if strings.HasSuffix(f[0], "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(f[1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchiveFile(t *testing.T) {
	long := strings.Repeat("x", 1025)
	deep := strings.Repeat("d/", 60) + "args"
	a := archive(t, [2]string{"./", ""}, [2]string{"opt/yolk/", ""}, [2]string{deep, "no"}, [2]string{"./opt/yolk/env", long},
		[2]string{"opt/yolk/args", "a\x00b\x00"}, [2]string{"opt/yolk/args", "second"}, [2]string{"opt/yolk/empty", ""})
	for name, want := range map[string]string{"opt/yolk/args": "a\x00b\x00", "opt/yolk/env": long, "opt/yolk/empty": ""} {
		if got := archiveFile(a, name); got == nil || string(got) != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, name := range []string{"args", "opt/yolk/", "opt/yolk", "opt/yolk/arg", "opt/yolk/args2"} {
		if got := archiveFile(a, name); got != nil {
			t.Errorf("%s: %q, and there is none", name, got)
		}
	}
	for n := range len(a) {
		archiveFile(a[:n], "opt/yolk/none")
	}
	for n := range len(a) {
		if at := brokenAt(a[:n]); at >= 0 && (at%tarBlock != 0 || at > n) {
			t.Errorf("%d bytes of it are broken at %d", n, at)
		}
	}
	for _, tt := range []struct {
		b    []byte
		want int
	}{{nil, -1}, {a, -1}, {a[:2*tarBlock], -1}, {[]byte("junk"), 0}, {append(bytes.Clone(a[:2*tarBlock]), "junk"...), 2 * tarBlock}, {make([]byte, 4000), -1}} {
		if got := brokenAt(tt.b); got != tt.want {
			t.Errorf("%d bytes are broken at %d, want %d", len(tt.b), got, tt.want)
		}
	}
	spoilt := bytes.Clone(a)
	spoilt[tarSize] = '7' // larger, and another checksum
	if archiveFile(spoilt, "opt/yolk/args") != nil {
		t.Error("read on behind a header with a wrong checksum")
	}
	if n := testing.AllocsPerRun(10, func() { archiveFile(a, "opt/yolk/args") }); n != 0 {
		t.Errorf("%v allocations: there is no heap yet", n)
	}
}

func FuzzArchiveFile(f *testing.F) {
	f.Add(archive(f, [2]string{"opt/yolk/args", "a\x00b\x00"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		archiveFile(b, "opt/yolk/args")
		if at := brokenAt(b); at > len(b) {
			t.Errorf("broken at %d of %d", at, len(b))
		}
		// Whatever is in the first header, with the checksum right.
		if len(b) < tarBlock {
			return
		}
		b = bytes.Clone(b)
		copy(b[tarChecksum:], "        ")
		sum := uint64(0)
		for _, c := range b[:tarBlock] {
			sum += uint64(c)
		}
		for i := range 6 {
			b[tarChecksum+5-i] = '0' + byte(sum>>(3*i)&7)
		}
		b[tarChecksum+6] = 0
		if got := archiveFile(b, "opt/yolk/args"); len(got) > len(b)-tarBlock {
			t.Errorf("%d bytes of %d", len(got), len(b))
		}
	})
}
