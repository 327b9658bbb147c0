package tmpfs

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// given is a file whose contents somebody else makes, until they are written.
type given struct {
	*node
	ready <-chan struct{}
	text  func(b []byte) []byte

	filling sync.Mutex // of what follows, and of the contents while they are not taken
	last    string
	filled  bool
	taken   bool // the contents are whoever's who has written them
}

// NewGiven makes a regular file without a name. Its contents are what text appends to
// b, made when the file is opened and when its attributes are asked for, until it is
// opened for writing or its size is set: from then on it is a file like any other, and
// text is not asked again. Who opens it for what it has waits for ready, if that is not
// nil; who asks for attributes before, or empties it, does not.
func (f *FS) NewGiven(mode uint32, ready <-chan struct{}, text func(b []byte) []byte) (fs.Node, error) {
	n, err := f.newFile(syscall.S_IFREG|mode&0o7777, 0)
	if err != nil {
		return nil, err
	}
	n.nlink = 1 // which it keeps
	return &given{node: n, ready: ready, text: text}, nil
}

// Open implements fs.Node, like the methods that follow.
func (g *given) Open(flags int) (fs.File, error) {
	if flags&syscall.O_TRUNC != 0 {
		g.filling.Lock()
		g.taken = true
		g.filling.Unlock()
		return g.node.Open(flags)
	}
	if g.ready != nil {
		<-g.ready
	}
	if err := g.fill(flags&syscall.O_ACCMODE != syscall.O_RDONLY); err != nil {
		return nil, err
	}
	return g.node.Open(flags)
}

func (g *given) Getattr(a *fs.Attr) error {
	select {
	case <-g.ready:
	default:
		if g.ready != nil {
			return g.node.Getattr(a)
		}
	}
	if err := g.fill(false); err != nil {
		return err
	}
	return g.node.Getattr(a)
}

func (g *given) Setattr(s *fs.SetAttr, a *fs.Attr) error {
	if s.Valid&fs.SetSize != 0 {
		if err := g.fill(true); err != nil {
			return err
		}
	}
	return g.node.Setattr(s, a)
}

// fill brings the contents up to date, for the last time if they are to be taken.
func (g *given) fill(take bool) error {
	g.filling.Lock()
	defer g.filling.Unlock()
	if g.taken {
		return nil
	}
	if text := string(g.text(nil)); !g.filled || text != g.last {
		if err := g.put(text); err != nil {
			return err
		}
		g.filled, g.last = true, text
	}
	g.taken = take
	return nil
}

// put replaces the contents.
func (g *given) put(text string) error {
	f, err := g.node.Open(syscall.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Release()
	for at := 0; at < len(text); {
		n, _, err := f.WriteAt([]byte(text[at:]), int64(at))
		if err != nil {
			return err
		}
		at += n
	}
	return g.node.set(&fs.SetAttr{Valid: fs.SetSize, Size: int64(len(text))})
}
