//go:build !tamago

package fuselab

import (
	"bytes"
	"fmt"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/labs/internal/report"
)

// spy is a transport that looks at all messages.
type spy struct {
	handle func(in, out [][]byte) int

	inited  bool
	minor   uint32
	uniques map[uint64]bool
	nodes   map[uint64]bool
	open    map[uint64]bool
	fault   string
	hint    string

	negative bool                // a name that is missing has nodeid 0
	failRead bool                // READ fails with EIO
	spoil    func([]byte) []byte // changes replies
}

func newSpy(handle func(in, out [][]byte) int) *spy {
	return &spy{handle: handle, uniques: map[uint64]bool{}, nodes: map[uint64]bool{fuse.FUSE_ROOT_ID: true}, open: map[uint64]bool{}}
}

func (s *spy) Name() string { return "a server with a magnifying glass" }

func (s *spy) Send(in [][]byte) error {
	s.look(bytes.Join(in, nil), -1)
	return nil
}

func (s *spy) wrong(hint, format string, args ...any) {
	if s.fault == "" {
		s.fault, s.hint = fmt.Sprintf(format, args...), hint
	}
}

// broken reports the first thing that was wrong with a message.
func (s *spy) broken(r *report.Report) bool {
	if s.fault == "" || r.Failed() {
		return s.fault != ""
	}
	r.Fail("the server complains: "+s.fault, s.hint)
	return true
}

func (s *spy) RoundTrip(in, out [][]byte) (int, error) {
	msg := bytes.Join(in, nil)
	room := 0
	for _, p := range out {
		room += len(p)
	}
	h := s.look(msg, room)
	reply := make([]byte, max(room, 1<<17))
	n := s.handle([][]byte{msg}, [][]byte{reply})
	reply = reply[:n]
	if s.failRead && h.Opcode == fuse.FUSE_READ {
		reply = (&fuse.OutHeader{Len: fuse.OutHeaderSize, Error: -5, Unique: h.Unique}).AppendTo(nil)
	}
	reply = s.remember(&h, msg, reply)
	if len(reply) > room && s.fault == "" {
		s.wrong("TODO 1: the reply is written into what you give as out: the header, 16 bytes, and room for the operation's own structure behind it.",
			"the reply to %s has %d bytes, and there is room for %d.", fuse.OpName(h.Opcode), len(reply), room)
	}
	if s.spoil != nil && h.Opcode != fuse.FUSE_RELEASE && len(reply) > fuse.OutHeaderSize {
		reply = s.spoil(reply)
	}
	total := 0
	for _, p := range out {
		k := copy(p, reply)
		reply = reply[k:]
		total += k
	}
	return total, nil
}

// look checks a request; room is how many bytes the reply may have.
func (s *spy) look(msg []byte, room int) (h fuse.InHeader) {
	if err := h.Decode(msg); err != nil {
		s.wrong("TODO 1: InHeader.AppendTo makes 40 bytes.", "a message of %d bytes, and the header alone has %d.", len(msg), fuse.InHeaderSize)
		return h
	}
	name := fuse.OpName(h.Opcode)
	if int(h.Len) != len(msg) {
		s.wrong("TODO 1: Len counts the whole message: the header, fuse.InHeaderSize, and what is behind it.", "the header of %s says %d bytes, and the message has %d.", name, h.Len, len(msg))
	}
	if h.Unique == 0 || s.uniques[h.Unique] {
		s.wrong("TODO 1: each request gets a number that no other one has, and never 0: count.", "the unique of %s is %d, which is 0 or was there before.", name, h.Unique)
	}
	s.uniques[h.Unique] = true
	args := msg[fuse.InHeaderSize:]
	if !s.inited && h.Opcode != fuse.FUSE_INIT {
		s.wrong("TODO 2: INIT comes before all others.", "%s came before INIT.", name)
	}
	size := map[uint32]int{fuse.FUSE_INIT: fuse.InitInSize, fuse.FUSE_OPEN: fuse.OpenInSize, fuse.FUSE_READ: fuse.ReadInSize, fuse.FUSE_RELEASE: fuse.ReleaseInSize}
	if want, ok := size[h.Opcode]; ok && len(args) != want {
		s.wrong("The structure of the operation, by its AppendTo, is all that follows the header.", "%s has %d bytes behind its header, and wants %d.", name, len(args), want)
		return h
	}
	if h.Opcode != fuse.FUSE_INIT && !s.nodes[h.Nodeid] {
		s.wrong("TODO 3: the root is node 1 (fuse.FUSE_ROOT_ID); others are known from the reply to their LOOKUP.", "%s goes to node %d, which nobody has told you about.", name, h.Nodeid)
	}
	var in fuse.ReadIn
	switch h.Opcode {
	case fuse.FUSE_INIT:
		var i fuse.InitIn
		_ = i.Decode(args) // its length is right
		if s.inited {
			s.wrong("TODO 2: once, in connect.", "a second INIT.")
		}
		if i.Major != fuse.FUSE_KERNEL_VERSION {
			s.wrong("TODO 2: fuse.FUSE_KERNEL_VERSION and fuse.FUSE_KERNEL_MINOR_VERSION.", "INIT asks for protocol %d.%d, and this is 7.", i.Major, i.Minor)
		}
		s.inited = true
	case fuse.FUSE_LOOKUP:
		n, found := bytes.CutSuffix(args, []byte{0})
		switch {
		case !found:
			s.wrong("TODO 3: a name ends with a byte of 0.", "LOOKUP of %q: no byte of 0 at the end.", args)
		case bytes.IndexByte(n, '/') >= 0:
			s.wrong("TODO 5: a LOOKUP takes one name, and finds it in one directory. strings.Split takes a path apart.", "LOOKUP of %q: a path.", n)
		case bytes.IndexByte(n, 0) >= 0 || len(n) == 0:
			s.wrong("TODO 3: the name once, and one byte of 0.", "LOOKUP of %q: no name.", args)
		}
	case fuse.FUSE_READ:
		_ = in.Decode(args) // its length is right
		switch {
		case !s.open[in.Fh]:
			s.wrong("TODO 4: Fh is that of the reply to OPEN.", "READ with the handle %d, which is not open.", in.Fh)
		case in.Size == 0:
			s.wrong("TODO 4: Size is how many bytes you want at most.", "READ of 0 bytes.")
		case room >= 0 && room < fuse.OutHeaderSize+int(in.Size):
			s.wrong("TODO 4: the header of the reply takes 16 bytes, the data come behind it.", "READ of %d bytes, and there is room for a reply of %d.", in.Size, room)
		case in.Size > 1<<17:
			s.wrong("TODO 4: a server reads as much at once as it has said in INIT; 64 KiB is little enough for all.", "READ of %d bytes.", in.Size)
		}
	case fuse.FUSE_RELEASE:
		var i fuse.ReleaseIn
		_ = i.Decode(args) // its length is right
		if !s.open[i.Fh] {
			s.wrong("TODO 4: Fh is that of the reply to OPEN, once.", "RELEASE of the handle %d, which is not open.", i.Fh)
		}
		delete(s.open, i.Fh)
	}
	return h
}

// remember takes from a reply what later requests may name, and changes it.
func (s *spy) remember(h *fuse.InHeader, msg, reply []byte) []byte {
	var out fuse.OutHeader
	if out.Decode(reply) != nil {
		return reply
	}
	body := reply[fuse.OutHeaderSize:]
	if out.Error != 0 {
		if h.Opcode == fuse.FUSE_LOOKUP && s.negative {
			none := fuse.OutHeader{Len: fuse.OutHeaderSize + fuse.EntryOutSize, Unique: h.Unique}
			return (&fuse.EntryOut{}).AppendTo(none.AppendTo(nil))
		}
		return reply
	}
	switch h.Opcode {
	case fuse.FUSE_INIT:
		var i fuse.InitOut
		if i.Decode(body) == nil {
			s.minor = i.Minor
		}
	case fuse.FUSE_LOOKUP:
		var e fuse.EntryOut
		if e.Decode(body) == nil {
			s.nodes[e.Nodeid] = true
		}
	case fuse.FUSE_OPEN:
		var o fuse.OpenOut
		if o.Decode(body) == nil {
			s.open[o.Fh] = true
		}
	}
	return reply
}

var _ fuse.Transport = (*spy)(nil)
