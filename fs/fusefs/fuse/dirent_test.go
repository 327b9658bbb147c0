package fuse

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseDirent(t *testing.T) {
	var b []byte
	names := []string{".", "..", "a", "eight888", "na\xffme\n", strings.Repeat("x", 255)}
	for i, name := range names {
		b = AppendDirent(b, &Dirent{Ino: uint64(i + 1), Off: uint64(i + 100), Type: 4}, name)
	}
	for i, want := range names {
		d, name, n, err := ParseDirent(b)
		if err != nil || string(name) != want || d.Ino != uint64(i+1) || d.Off != uint64(i+100) || d.Type != 4 {
			t.Fatalf("entry %d: %+v %q, %v", i, d, name, err)
		}
		if n%8 != 0 || n < DirentSize+len(want) || n >= DirentSize+len(want)+8 {
			t.Fatalf("entry %d: takes %d bytes", i, n)
		}
		b = b[n:]
	}
	if len(b) != 0 {
		t.Errorf("%d bytes left", len(b))
	}
}

func TestParseDirentBad(t *testing.T) {
	good := AppendDirent(nil, &Dirent{Ino: 1, Off: 1}, "four")
	long := bytes.Clone(good)
	long[16] = 9 // with its padding one byte more than there is
	huge := bytes.Clone(good)
	copy(huge[16:], "\xff\xff\xff\xff")
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrDirentLength},
		{"header cut", good[:DirentSize-1], ErrDirentLength},
		{"name cut", good[:DirentSize+3], ErrDirentLength},
		{"padding cut", good[:DirentSize+5], ErrDirentLength},
		{"name past the end", long, ErrDirentLength},
		{"huge name", huge, ErrDirentLength},
		{"empty name", AppendDirent(nil, &Dirent{}, ""), ErrDirentName},
		{"slash", AppendDirent(nil, &Dirent{}, "a/b"), ErrDirentName},
		{"NUL", AppendDirent(nil, &Dirent{}, "a\x00b"), ErrDirentName},
		{"long name", AppendDirent(nil, &Dirent{}, strings.Repeat("x", 256)), ErrDirentName},
	} {
		_, _, n, err := ParseDirent(c.b)
		if err != c.want || (err == ErrDirentName) != (n == len(c.b) && n > 0) {
			t.Errorf("%s: %d, %v; want %v", c.name, n, err, c.want)
		}
		var e EntryOut
		plus := append((&EntryOut{Nodeid: 7}).AppendTo(nil), c.b...)
		_, _, n, err = ParseDirentplus(plus, &e)
		if err != c.want || (err == ErrDirentName) != (n == len(plus)) {
			t.Errorf("%s, plus: %d, %v; want %v", c.name, n, err, c.want)
		}
		if e.Nodeid != 7 {
			t.Errorf("%s, plus: nodeid %d", c.name, e.Nodeid)
		}
	}
	var e EntryOut
	for n := range EntryOutSize {
		if _, _, _, err := ParseDirentplus(make([]byte, n), &e); err != ErrDirentLength {
			t.Fatalf("direntplus of %d bytes: %v", n, err)
		}
	}
}

// FuzzDirents walks over any bytes with both parsers.
func FuzzDirents(f *testing.F) {
	f.Add(AppendDirent(AppendDirent(nil, &Dirent{Off: 1}, "."), &Dirent{Off: 2}, "name"))
	f.Add(AppendDirent((&EntryOut{Nodeid: 2}).AppendTo(nil), &Dirent{Off: 2}, "name"))
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			d, name, n, err := ParseDirent(rest)
			rest = walked(t, rest, d, name, n, err)
		}
		var e EntryOut
		for rest := b; len(rest) > 0; {
			d, name, n, err := ParseDirentplus(rest, &e)
			rest = walked(t, rest, d, name, n, err)
		}
	})
}

// walked checks one result of a parser and returns what follows it.
func walked(t *testing.T, b []byte, d Dirent, name []byte, n int, err error) []byte {
	switch err {
	case nil:
		if !ValidName(name) || len(name) != int(d.Namelen) {
			t.Fatalf("name %q with namelen %d", name, d.Namelen)
		}
	case ErrDirentName:
		if ValidName(name) {
			t.Fatalf("good name %q refused", name)
		}
	case ErrDirentLength:
		if n != 0 {
			t.Fatalf("%v with n %d", err, n)
		}
		return nil
	default:
		t.Fatal(err)
	}
	if n <= 0 || n > len(b) || n%8 != 0 {
		t.Fatalf("entry of %d bytes in %d", n, len(b))
	}
	return b[n:]
}
