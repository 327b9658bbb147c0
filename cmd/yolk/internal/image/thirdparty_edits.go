package image

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An edit replaces a piece of a file of those modules, which stands there once, or the module
// is not made: another version of it is to be looked at anew.
type thirdPartyEdit struct {
	file     string // its path in the kernel's module
	old, new string
}

// addedFiles are added to those modules, by their paths there.
var addedFiles = map[string][]byte{
	tcpPath + "zz_yolk_delayedack.go":                   delayedAck,
	"gvisor.dev/gvisor/pkg/buffer/zz_yolk_headslice.go": headSlice,
}

var (
	//go:embed _thirdparty/delayedack.go
	delayedAck []byte
	//go:embed _thirdparty/headslice.go
	headSlice []byte
)

const (
	tcpipPath = "gvisor.dev/gvisor/pkg/tcpip/"
	tcpPath   = tcpipPath + "transport/tcp/"
)

// thirdPartyEdits are all edits.
var thirdPartyEdits = slices.Concat(clockEdits, headerEdits, delayedAckEdits)

// clockEdits: each segment of TCP compares times a dozen times, which package time does in
// several hundred instructions. The sums are as they were, to the last one that fits.
var clockEdits = []thirdPartyEdit{
	{tcpipPath + "tcpip.go",
		"	return MonotonicTime{\n		nanoseconds: time.Unix(0, mt.nanoseconds).Add(d).Sub(time.Unix(0, 0)).Nanoseconds(),\n	}\n",
		`	sum := mt.nanoseconds + int64(d)
	switch {
	case d > 0 && sum < mt.nanoseconds:
		sum = math.MaxInt64
	case d < 0 && sum > mt.nanoseconds:
		sum = math.MinInt64
	}
	return MonotonicTime{nanoseconds: sum}
`},
	{tcpipPath + "tcpip.go",
		"	return time.Unix(0, mt.nanoseconds).Sub(time.Unix(0, u.nanoseconds))\n",
		`	d := mt.nanoseconds - u.nanoseconds
	switch {
	case u.nanoseconds < 0 && d < mt.nanoseconds:
		d = math.MaxInt64
	case u.nanoseconds > 0 && d > mt.nanoseconds:
		d = math.MinInt64
	}
	return time.Duration(d)
`},
}

// headerEdits: a header is looked up a dozen times on the way of a packet, each time by a
// walk over its views.
var headerEdits = []thirdPartyEdit{
	{tcpipPath + "stack/packet_buffer.go",
		"	view := h.pk.headerView(h.typ)\n	return view.AsSlice()\n",
		`	at := &h.pk.headers[h.typ]
	if b := h.pk.buf.HeadSlice(h.pk.headerOffsetOf(h.typ), at.length); b != nil || at.length == 0 {
		return b
	}
	view := h.pk.headerView(h.typ)
	return view.AsSlice()
`},
	{tcpipPath + "stack/packet_buffer.go",
		"	h.offset = -pk.pushed\n	h.length = size\n",
		`	h.offset = -pk.pushed
	h.length = size
	if b := pk.buf.HeadSlice(pk.headerOffsetOf(typ), size); b != nil {
		return b
	}
`},
	{tcpipPath + "stack/packet_buffer.go",
		"	h.offset = pk.consumed\n	h.length = size\n	pk.consumed += size\n",
		`	h.offset = pk.consumed
	h.length = size
	pk.consumed += size
	if b := pk.buf.HeadSlice(pk.headerOffsetOf(typ), size); b != nil {
		return b, true
	}
`},
}

// delayedAckEdits let acknowledgements wait for data to go with, by delayedack.go.
var delayedAckEdits = []thirdPartyEdit{
	{tcpPath + "snd.go",
		"	corkTimer timer `state:\"nosave\"`\n",
		"	corkTimer timer `state:\"nosave\"`\n\n	delayedAck delayedAck `state:\"nosave\"`\n"},
	{tcpPath + "snd.go",
		"	ep.snd.corkTimer.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.corkTimerExpired))\n",
		"	ep.snd.corkTimer.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.corkTimerExpired))\n" +
			"	ep.snd.delayedAck.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.delayedAckTimerExpired))\n"},
	{tcpPath + "snd.go",
		"	s.MaxSentAck = rcvNxt\n\n	// We need to clone",
		"	s.delayedAck.sent(s.MaxSentAck, rcvNxt)\n	s.MaxSentAck = rcvNxt\n\n	// We need to clone"},
	{tcpPath + "endpoint.go",
		"		e.snd.corkTimer.cleanup()\n",
		"		e.snd.corkTimer.cleanup()\n		e.snd.delayedAck.timer.cleanup()\n"},
	{tcpPath + "connect.go",
		"	sndUna := e.snd.SndUna\n	for i := 0; i < maxSegmentsPerWake; i++ {\n",
		"	sndUna := e.snd.SndUna\n	segments := 0\n	for ; segments < maxSegmentsPerWake; segments++ {\n"},
	{tcpPath + "connect.go",
		"	if e.rcv.RcvNxt != e.snd.MaxSentAck {\n		e.snd.sendAck()\n",
		"	if e.rcv.RcvNxt != e.snd.MaxSentAck && !e.snd.delayAck(segments) {\n		e.snd.sendAck()\n"},
}

// editedMark says at the end of a file that it is not the original, as its licence wants
// it (Apache 2.0, 4b).
const editedMark = "\n// This file has been changed by " + modulePath + ": see cmd/yolk/internal/image/thirdparty_edits.go there.\n"

// edited makes those edits that are of a file.
func edited(edits []thirdPartyEdit, file string, src []byte) ([]byte, error) {
	changed := false
	for _, e := range edits {
		if e.file != file {
			continue
		}
		if n := bytes.Count(src, []byte(e.old)); n != 1 {
			return nil, fmt.Errorf("%s: %q stands there %d times, want once", e.file, e.old, n)
		}
		src, changed = bytes.Replace(src, []byte(e.old), []byte(e.new), 1), true
	}
	if changed {
		src = append(src, editedMark...)
	}
	return src, nil
}

// editedFiles are the files that have edits, in their order.
func editedFiles() (list []string) {
	for _, e := range thirdPartyEdits {
		if !slices.Contains(list, e.file) {
			list = append(list, e.file)
		}
	}
	return list
}

// editOwn has the kernel's own module, which requires those modules as any other does,
// get the edited files: by a copy of their module, and a go.mod that names it. Where a
// workspace of the developer's is in use, which takes no other go.mod, it gets the
// originals.
func (b *Builder) editOwn(ctx context.Context, ws *workspace) error {
	if ws.goMod == "" {
		return nil
	}
	modules, err := b.download(ctx)
	if err != nil {
		return err
	}
	base, err := liftedModules()
	if err != nil {
		return err
	}
	edits := map[string][]byte{}
	for _, file := range editedFiles() {
		module := thirdPartyOf(file)
		src, err := os.ReadFile(filepath.Join(modules[module], strings.TrimPrefix(file, module)))
		if err == nil {
			src, err = edited(thirdPartyEdits, file, src)
		}
		if err != nil {
			return fmt.Errorf("the network stack's sources: %w", err)
		}
		edits[file] = src
	}
	maps.Copy(edits, addedFiles)
	mod, err := os.ReadFile(ws.goMod)
	if err != nil {
		return err
	}
	for _, module := range thirdPartyModules {
		own := map[string][]byte{}
		for file, src := range edits {
			if rest, ok := strings.CutPrefix(file, module+"/"); ok {
				own[rest] = src
			}
		}
		if len(own) == 0 {
			continue
		}
		dir := filepath.Join(base, filepath.Base(modules[module])+"-"+nameOf(own))
		if err := copyEdited(ctx, base, modules[module], dir, own); err != nil {
			return fmt.Errorf("a copy of %s: %w", module, err)
		}
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, dir)
	}
	file := filepath.Join(b.Scratch, "own.mod")
	sum, err := os.ReadFile(strings.TrimSuffix(ws.goMod, ".mod") + ".sum")
	if err != nil {
		return err
	}
	ws.flags = append(ws.flags, "-modfile="+file)
	return errors.Join(os.WriteFile(file, mod, 0o600), os.WriteFile(filepath.Join(b.Scratch, "own.sum"), sum, 0o600))
}

// copyEdited makes a copy of a module in a directory below base, with some files of its own,
// unless it is there.
func copyEdited(ctx context.Context, base, module, dir string, files map[string][]byte) error {
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // noted for sweep, as far as it goes
		return nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	sweep(base)
	tmp, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := linkTree(ctx, module, tmp); err != nil {
		return err
	}
	for name, src := range files {
		name = filepath.Join(tmp, name)
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may be the module cache's
			return err
		}
		if err := os.WriteFile(name, src, 0o644); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // by a run beside this one
			return err
		}
	}
	return nil
}
