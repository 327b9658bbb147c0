package trace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

func TestSet(t *testing.T) {
	var tr tracer
	ring.State.Store(0)
	tr.wanted.Store(uint32(wire.All))
	for _, tt := range []struct {
		text, want string
		ok         bool
	}{
		{"", "off call,fuse,notify,irq,idle,sched", false},
		{"on", "on call,fuse,notify,irq,idle,sched", true},
		{"off", "off call,fuse,notify,irq,idle,sched", true},
		{"on call,fuse", "on call,fuse", true},
		{"on calls", "on call,fuse", false},
		{"on ", "on call,fuse", false},
		{"onward", "on call,fuse", false},
		{"off", "off call,fuse", true},
		{"1", "off call,fuse", false},
		{"on", "on call,fuse", true},
	} {
		if ok := tr.set(tt.text); ok != tt.ok || tr.state() != tt.want {
			t.Errorf("%q: %t, %q, want %t, %q", tt.text, ok, tr.state(), tt.ok, tt.want)
		}
	}
	if !tr.has(wire.Fuse) || tr.has(wire.Idle) {
		t.Error("the kinds are not those that were set")
	}
}

// TestText: the newest events of all CPUs, in their order.
func TestText(t *testing.T) {
	var tr tracer
	tr.set("on call")
	rings := []*ring.Ring{ring.New(8), nil, ring.New(8)}
	for i := range 6 {
		rings[i%2*2].Put(uint64(1e6*i), 7, wire.Word(wire.Call, 0, 257, 0), ^uint64(99), uint64(i), 0, []byte("/a \"b\""))
	}
	rings[0].Put(9e6, 7, wire.Word(wire.Call, wire.End|wire.One, 257, 2), 1<<64-1, 8, 8, nil)
	for range 9 {
		rings[2].Put(9e6, 7, 0, 0, 0, 0, nil)
	}
	p := printer{ns: func(tsc uint64) uint64 { return tsc }, name: func(e *wire.Event) string { return fmt.Sprint(e.Op) }}
	lines := strings.Split(strings.TrimSuffix(string(tr.text(nil, rings, p.append)), "\n"), "\n")
	want := []string{
		"on call",
		"lost 4",
		`0.000000 cpu0 g7 call 257 -100 0 0 "/a \"b\""`,
		`0.001000 cpu2 g7 call 257 -100 1 0 "/a \"b\""`,
		`0.002000 cpu0 g7 call 257 -100 2 0 "/a \"b\""`,
		`0.003000 cpu2 g7 call 257 -100 3 0 "/a \"b\""`,
		`0.004000 cpu0 g7 call 257 -100 4 0 "/a \"b\""`,
		`0.005000 cpu2 g7 call 257 -100 5 0 "/a \"b\""`,
		`0.009000 cpu0 g7 call 257 = -1 no such file or directory`,
	}
	for i, w := range want {
		if i >= len(lines) || lines[i] != w {
			t.Errorf("line %d of\n%s\nwant %s", i, strings.Join(lines, "\n"), w)
			break
		}
	}
}

func TestNames(t *testing.T) {
	var n names
	n.want(3)
	n.want(511)
	n.want(3)
	var told []int
	tell := func(i int) { told = append(told, i) }
	n.untold(tell)
	n.want(4)
	n.untold(tell)
	n.untold(tell)
	if fmt.Sprint(told) != "[3 511 4]" {
		t.Error(told)
	}
}

// TestArguments: names and offsets are where linux/fuse.h has them.
func TestArguments(t *testing.T) {
	pad := func(n int, text string) []byte { return append(make([]byte, n), text...) }
	read := make([]byte, 40)
	read[9] = 1
	for _, tt := range []struct {
		op   uint32
		args []byte
		name string
		off  uint64
	}{
		{fuse.FUSE_LOOKUP, []byte("name\x00"), "name", 0},
		{fuse.FUSE_LOOKUP, []byte("name"), "name", 0},
		{fuse.FUSE_LOOKUP, nil, "", 0},
		{fuse.FUSE_UNLINK, []byte("u\x00"), "u", 0},
		{fuse.FUSE_MKDIR, pad(8, "dir\x00"), "dir", 0},
		{fuse.FUSE_MKDIR, pad(7, ""), "", 0},
		{fuse.FUSE_RENAME, pad(8, "old\x00new\x00"), "old", 0},
		{fuse.FUSE_RENAME2, pad(16, "old\x00new\x00"), "old", 0},
		{fuse.FUSE_CREATE, pad(16, "file\x00"), "file", 0},
		{fuse.FUSE_MKNOD, pad(16, "pipe\x00"), "pipe", 0},
		{fuse.FUSE_SYMLINK, []byte("link\x00target\x00"), "link", 0},
		{fuse.FUSE_GETXATTR, pad(8, "user.x\x00"), "user.x", 0},
		{fuse.FUSE_READ, read, "", 256},
		{fuse.FUSE_WRITE, read, "", 256},
		{fuse.FUSE_READDIRPLUS, read, "", 256},
		{fuse.FUSE_READ, read[:15], "", 0},
		{fuse.FUSE_OPEN, read, "", 0},
		{99, read, "", 0},
	} {
		if name, off := arguments(tt.op, tt.args); string(name) != tt.name || off != tt.off {
			t.Errorf("%s: %q, %d, want %q, %d", fuse.OpName(tt.op), name, off, tt.name, tt.off)
		}
	}
}

func TestEntries(t *testing.T) {
	var b []byte
	for i, name := range []string{".", "one", "two"} {
		e := fuse.EntryOut{Nodeid: uint64(i * 10)}
		b = e.AppendTo(b)
		b = fuse.AppendDirent(b, &fuse.Dirent{Ino: 1}, name)
	}
	got := ""
	entries(append(b, 1, 2, 3), func(node uint64, name []byte) { got += fmt.Sprint(node, " ", string(name), "\n") })
	if got != "10 one\n20 two\n" {
		t.Errorf("%q", got)
	}
	if n := entry(fuse.FUSE_LOOKUP, []byte{7, 0, 0, 0, 0, 0, 0, 0, 9}); n != 7 {
		t.Error("the node of a LOOKUP:", n)
	}
	if n := entry(fuse.FUSE_OPEN, make([]byte, 16)) + entry(fuse.FUSE_LOOKUP, make([]byte, 7)); n != 0 {
		t.Error("a node where there is none:", n)
	}
}

// TestForeign: what is not a request or a reply as it should be is no reason to fail.
func TestForeign(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, random.IntN(300))
		for i := range b {
			b[i] = byte(random.Uint32()) & byte(random.Uint32()) & byte(random.Uint32()) // many zeros
		}
		op := random.Uint32N(60)
		if name, _ := arguments(op, b); len(name) > len(b) {
			t.Error("a name that is longer than the request")
		}
		entry(uint16(op), b)
		entries(b, func(uint64, []byte) {})
	}
}
