package fuselab

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/labs/internal/report"
)

// student is a client with mistakes.
type student struct {
	noInit, lenWithoutHeader, sameUnique, noRoom, noErrno     bool
	noUnique, noLen, noShort, wrongMajor, initEach            bool
	noNUL, wholePath, sameDir, noNegative                     bool
	noOpen, oneRead, sameOffset, noRelease, releaseOnlyOnGood bool

	t      fuse.Transport
	unique uint64
}

func (c *student) call(op uint32, node uint64, args []byte, room int) ([]byte, error) {
	if !c.sameUnique || c.unique == 0 {
		c.unique++
	}
	h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + len(args)), Opcode: op, Unique: c.unique, Nodeid: node}
	if c.lenWithoutHeader {
		h.Len = uint32(len(args))
	}
	if !c.noRoom {
		room += fuse.OutHeaderSize
	}
	reply := make([]byte, room)
	n, err := c.t.RoundTrip([][]byte{h.AppendTo(nil), args}, [][]byte{reply})
	if err != nil {
		return nil, err
	}
	var out fuse.OutHeader
	if err := out.Decode(reply[:n]); err != nil && !c.noShort {
		return nil, err
	}
	if !c.noLen && int(out.Len) != n || !c.noUnique && out.Unique != c.unique {
		return nil, errors.New("nonsense")
	}
	if out.Error != 0 && !c.noErrno {
		return nil, syscall.Errno(-out.Error)
	}
	return reply[min(fuse.OutHeaderSize, n):n], nil
}

func (c *student) init() error {
	in := fuse.InitIn{Major: fuse.FUSE_KERNEL_VERSION, Minor: fuse.FUSE_KERNEL_MINOR_VERSION}
	if c.wrongMajor {
		in.Major = 1
	}
	_, err := c.call(fuse.FUSE_INIT, 0, in.AppendTo(nil), fuse.InitOutSize)
	return err
}

func (c *student) connect(t fuse.Transport) (Client, error) {
	c.t = t
	if c.noInit {
		return c, nil
	}
	return c, c.init()
}

func (c *student) ReadFile(path string) (data []byte, err error) {
	if c.initEach {
		c.init()
	}
	names := strings.Split(path, "/")
	if c.wholePath {
		names = []string{path}
	}
	node := uint64(fuse.FUSE_ROOT_ID)
	for _, name := range names {
		dir := node
		if c.sameDir {
			dir = fuse.FUSE_ROOT_ID
		}
		arg := []byte(name)
		if !c.noNUL {
			arg = append(arg, 0)
		}
		reply, err := c.call(fuse.FUSE_LOOKUP, dir, arg, fuse.EntryOutSize)
		if err != nil {
			return nil, err
		}
		var e fuse.EntryOut
		if err := e.Decode(reply); err != nil {
			return nil, err
		}
		if e.Nodeid == 0 && !c.noNegative {
			return nil, syscall.ENOENT
		}
		if node = e.Nodeid; node == 0 {
			return nil, nil
		}
	}
	var open fuse.OpenOut
	if !c.noOpen {
		reply, err := c.call(fuse.FUSE_OPEN, node, (&fuse.OpenIn{}).AppendTo(nil), fuse.OpenOutSize)
		if err != nil {
			return nil, err
		}
		if err := open.Decode(reply); err != nil {
			return nil, err
		}
	}
	defer func() {
		if !c.noRelease && (err == nil || !c.releaseOnlyOnGood) {
			c.call(fuse.FUSE_RELEASE, node, (&fuse.ReleaseIn{Fh: open.Fh}).AppendTo(nil), 0)
		}
	}()
	for range 20 {
		in := fuse.ReadIn{Fh: open.Fh, Offset: uint64(len(data)), Size: 64 << 10}
		if c.sameOffset {
			in.Offset = 0
		}
		part, err := c.call(fuse.FUSE_READ, node, in.AppendTo(nil), 64<<10)
		if err != nil {
			return nil, err
		}
		data = append(data, part...)
		if len(part) == 0 || c.oneRead {
			break
		}
	}
	return data, nil
}

// TestDiagnosis: the check names what is wrong with a client.
func TestDiagnosis(t *testing.T) {
	for _, c := range []struct {
		spoil func(*student)
		says  string // words of the verdict, separated by |
	}{
		{func(c *student) {}, "PASS"},
		{func(c *student) { c.noInit = true }, "no INIT|TODO 2"},
		{func(c *student) { c.initEach = true }, "a second INIT|TODO 2"},
		{func(c *student) { c.wrongMajor = true }, "protocol 1.41|TODO 2"},
		{func(c *student) { c.lenWithoutHeader = true }, "says 64 bytes, and the message has 104|TODO 1"},
		{func(c *student) { c.sameUnique = true }, "unique of LOOKUP is 1|TODO 1"},
		{func(c *student) { c.noRoom = true }, "there is room for 64|TODO 1"},
		{func(c *student) { c.noErrno = true }, "should be ENOENT|TODO 1"},
		{func(c *student) { c.noNUL = true }, "no byte of 0|TODO 3"},
		{func(c *student) { c.wholePath = true }, "a path|TODO 5"},
		{func(c *student) { c.sameDir = true }, "two directories down|TODO 5"},
		{func(c *student) { c.noNegative = true }, "nodeid 0|TODO 3"},
		{func(c *student) { c.noOpen = true }, "READ with the handle 0|TODO 4"},
		{func(c *student) { c.oneRead = true }, "has 540000 bytes, and only 65536|TODO 4"},
		{func(c *student) { c.sameOffset = true }, "TODO 4"},
		{func(c *student) { c.noRelease = true }, "still has a handle|TODO 4"},
		{func(c *student) { c.releaseOnlyOnGood = true }, "READ fails, and the server still has a handle|defer"},
		{func(c *student) { c.noShort, c.noLen, c.noUnique = true, true, true }, "taken for right|a stranger"},
		{func(c *student) { c.noUnique = true }, "another request|a stranger"},
		{func(c *student) { c.noLen = true }, "what the header says|a stranger"},
	} {
		var s student
		c.spoil(&s)
		var b strings.Builder
		r := report.New(&b)
		checkHosted(r, s.connect)
		r.End()
		for word := range strings.SplitSeq(c.says, "|") {
			if !strings.Contains(b.String(), word) {
				t.Errorf("want %q in:\n%s", word, &b)
			}
		}
		if r.Failed() == (c.says == "PASS") {
			t.Errorf("want %q:\n%s", c.says, &b)
		}
	}
}
