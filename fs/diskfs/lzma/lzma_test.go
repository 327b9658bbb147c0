package lzma_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/yolkos/yolk/fs/diskfs/internal/samples"
	"github.com/yolkos/yolk/fs/diskfs/lzma"
	"github.com/yolkos/yolk/internal/tools"
)

// texts are samples, and code of x86.
func texts(t testing.TB) map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	list := samples.Texts(r, 30_000, 20_000, 100_000)
	var calls []byte
	for len(calls) < 50_000 { // opcodes close to each other, with targets that are changed and those that are not
		calls = append(calls, [...]byte{0xe8, 0xe9, 0, 0xff, byte(r.Uint32())}[r.IntN(5)])
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	list["calls"], list["code"] = calls, self[:min(len(self), 256<<10)]
	return list
}

// xz runs the program xz.
func xz(t testing.TB, args string, text []byte) []byte {
	t.Helper()
	cmd := exec.Command(tools.Find(t, "xz"), append(strings.Fields(args), "-c")...)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xz %s: %v", args, err)
	}
	return out
}

// TestXZ: what xz compresses, in several ways, is what it was, whole and as far as there is room.
func TestXZ(t *testing.T) {
	for name, want := range texts(t) {
		for _, args := range []string{"-0", "-6 --check=crc32", "--check=none --lzma2=lc=0,lp=4,pb=0", "--x86 --lzma2=preset=2", "-1 --block-size=10000"} {
			packed := xz(t, args, want)
			for _, room := range []int{len(want) + 1, len(want), len(want) - 1, len(want) / 2, 0} {
				got := make([]byte, room)
				n, more, err := lzma.XZ(got, packed)
				same := n
				if n < len(want) { // x86's filter looks at what follows
					same -= 4
				}
				if err != nil || n != min(room, len(want)) || more != (n < len(want)) || same > 0 && !bytes.Equal(got[:same], want[:same]) {
					t.Errorf("%s, %s, room for %d of %d: %d, more %v, %v, or other bytes", name, args, room, len(want), n, more, err)
				}
			}
		}
	}
}

// TestAlone: so are .lzma files, and MicroLZMA, which is the same with another header.
func TestAlone(t *testing.T) {
	for name, want := range texts(t) {
		for _, args := range []string{"--format=lzma -2", "--format=lzma --lzma1=lc=1,lp=2,pb=4"} {
			packed := xz(t, args, want)
			got := make([]byte, len(want))
			if _, _, err := lzma.Alone(got, packed); err == nil {
				t.Errorf("%s, %s: a size that is not told", name, args)
			}
			binary.LittleEndian.PutUint64(packed[5:], uint64(len(want)))
			if n, more, err := lzma.Alone(got, packed); err != nil || more || !bytes.Equal(got[:n], want) {
				t.Errorf("%s, %s: %d bytes, more %v, %v, or other ones", name, args, n, more, err)
			}
			if n, more, err := lzma.Alone(got[:len(want)/2], packed); err != nil || !more || n != len(want)/2 {
				t.Errorf("%s, %s: half: %d bytes, more %v, %v", name, args, n, more, err)
			}
			micro := append([]byte{^packed[0]}, packed[14:]...)
			for _, size := range []int{len(want), len(want) / 2} {
				clear(got)
				if err := lzma.Micro(got[:size], micro); err != nil || !bytes.Equal(got[:size], want[:size]) {
					t.Errorf("%s, %s: micro: %v, or other bytes", name, args, err)
				}
			}
			if err := lzma.Micro(make([]byte, len(want)+1), micro); err == nil {
				t.Errorf("%s, %s: more bytes than there are", name, args)
			}
		}
	}
}

// TestRefused: what is wrong or not supported is named.
func TestRefused(t *testing.T) {
	good := xz(t, "--check=crc32", []byte("a text that is long enough to be compressed, and is, and is, and is, and is"))
	change := func(at int) []byte {
		b := bytes.Clone(good)
		b[(at+len(b))%len(b)] ^= 0x40
		return b
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{nil, "no stream of xz"},
		{change(0), "no stream of xz"},
		{change(7), "Stream Flags: CRC32"},
		{change(14), "Block Header: CRC32"},
		{good[:40], "a chunk of"},
		{good[:len(good)-20], "the stream ends without an index"},
		{change(40), ""}, // of the contents: anything, at the latest by their sum
		{xz(t, "--arm --lzma2", []byte("text")), "filter 0x7 is not supported"},
	} {
		if _, _, err := lzma.XZ(make([]byte, 1000), c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%x: %v, want %q", c.b[:min(len(c.b), 16)], err, c.want)
		}
	}
}

// FuzzDecode: foreign bytes end as bytes or as an error of this package.
func FuzzDecode(f *testing.F) {
	for _, text := range texts(f) {
		text = text[:min(len(text), 3000)]
		f.Add(xz(f, "-0", text))
		f.Add(xz(f, "-0 --check=crc32 --x86 --lzma2", text))
		f.Add(xz(f, "--format=lzma -0", text))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		dst := make([]byte, 1<<18)
		for _, size := range []int{len(dst), 100} {
			n, more, err := lzma.XZ(dst[:size], packed)
			n2, more2, err2 := lzma.Alone(dst[:size], packed)
			err3 := lzma.Micro(dst[:size], packed)
			for _, err := range []error{err, err2, err3} {
				if known := (*lzma.Corrupt)(nil); err != nil && !errors.As(err, &known) {
					t.Errorf("an error of another kind: %v", err)
				}
			}
			if n < 0 || n > size || n2 < 0 || n2 > size || err == nil && more && n < size || err2 == nil && more2 && n2 < size {
				t.Errorf("%d and %d bytes of %d, more %v, %v", n, n2, size, more, more2)
			}
		}
	})
}

func BenchmarkXZ(b *testing.B) {
	text := texts(b)["code"]
	packed, got := xz(b, "-6", text), make([]byte, len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, err := lzma.XZ(got, packed); err != nil {
			b.Fatal(err)
		}
	}
}
