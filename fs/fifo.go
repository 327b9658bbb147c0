package fs

import (
	"strconv"
	"sync"
	"syscall"
	"time"
)

// pipeNode is the node of a pipe that has no name.
type pipeNode struct {
	Unsupported
	pipe *pipe
	ino  uint64
	time Time
}

// NewPipe makes a pipe in memory: r reads what w writes. Both lie at d, which
// has no path and a reference for each of the two. O_DIRECT in flags: each write is
// a packet.
func (v *VFS) NewPipe(flags int) (r, w File, d *Dentry) {
	t := time.Now()
	n := &pipeNode{pipe: &pipe{}, ino: v.lastID.Add(1), time: Time{t.Unix(), uint32(t.Nanosecond())}}
	d = v.nameless(v.pipes, "pipe", n, syscall.S_IFIFO)
	d.Ref()
	to := n.pipe.open(n, false, true)
	to.SetFlags(flags)
	return n.pipe.open(n, true, false), to, d
}

func (n *pipeNode) Kind() uint32 { return syscall.S_IFIFO }

// Label implements Labeler.
func (n *pipeNode) Label() string { return "pipe:[" + strconv.FormatUint(n.ino, 10) + "]" }

func (n *pipeNode) Getattr(a *Attr) error {
	*a = Attr{Ino: n.ino, Mode: syscall.S_IFIFO | 0o600, Nlink: 1, Blksize: pipePage,
		Atime: n.time, Mtime: n.time, Ctime: n.time}
	return nil
}

// OpenDevice opens the pipe once more, through /proc/self/fd.
func (n *pipeNode) OpenDevice(flags int) (File, error) {
	e := n.pipe.open(n, flags&oAccess != syscall.O_WRONLY, flags&oAccess != syscall.O_RDONLY)
	return e, e.SetFlags(flags)
}

// open makes a further end of p, whose node is n.
func (p *pipe) open(n Node, reads, writes bool) *pipeEnd {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened(n, reads, writes)
}

// opened is open with p.mu held.
func (p *pipe) opened(n Node, reads, writes bool) *pipeEnd {
	if reads {
		p.readers++
		p.opens[0]++
	}
	if writes {
		p.writers++
		p.opens[1]++
	}
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	p.queue.Wake(pipeReaders)
	return &pipeEnd{pipe: p, node: n, reads: reads, writes: writes}
}

// fifos are the FIFOs that are open somewhere, each by its node.
type fifos struct {
	mu sync.Mutex
	m  map[Node]*pipe
}

// openFIFO opens n for reading once somebody has it open for writing, and the
// other way round. O_NONBLOCK: at once, but ENXIO for a writer alone. O_RDWR
// never waits.
func (v *VFS) openFIFO(n Node, flags int) (File, error) {
	n.Ref()
	v.fifos.mu.Lock()
	p := v.fifos.m[n]
	if p == nil {
		p = &pipe{fifos: &v.fifos}
		if v.fifos.m == nil {
			v.fifos.m = make(map[Node]*pipe)
		}
		v.fifos.m[n] = p
	}
	p.users++
	v.fifos.mu.Unlock()

	reads, writes := flags&oAccess != syscall.O_WRONLY, flags&oAccess != syscall.O_RDONLY
	e, met := p.meet(n, reads, writes, flags&syscall.O_NONBLOCK == 0)
	e.SetFlags(flags)
	if !met && writes {
		e.Release()
		return nil, syscall.ENXIO
	}
	return e, nil
}

// meet makes a further end of p and tells if p is open at the other one. It
// waits for that if it may.
func (p *pipe) meet(n Node, reads, writes, wait bool) (*pipeEnd, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.opened(n, reads, writes)
	other, others := 0, &p.readers
	if reads {
		other, others = 1, &p.writers
	}
	// Whoever opens and closes from here on was there, too: p.mu must not have
	// been released since this end woke them.
	before := p.opens[other]
	for *others == 0 && p.opens[other] == before {
		if !wait {
			e.alone = p.opens[1] + 1
			return e, false
		}
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		c := p.changed
		p.mu.Unlock()
		<-c
		p.mu.Lock()
	}
	return e, true
}

// done is called when an end of p has been released.
func (p *pipe) done(n Node) {
	if p.fifos == nil {
		return
	}
	p.fifos.mu.Lock()
	if p.users--; p.users == 0 {
		delete(p.fifos.m, n)
	}
	p.fifos.mu.Unlock()
	n.Unref()
}

// pipeFS is the file system that statfs shows for pipes.
type pipeFS struct{}

func (pipeFS) Type() string { return "pipefs" }
func (pipeFS) Root() Node   { return nil }
func (pipeFS) Sync() error  { return nil }
func (pipeFS) Close() error { return nil }

func (pipeFS) Statfs(s *Statfs) error {
	const magic = 0x50495045 // PIPEFS_MAGIC of linux/magic.h
	*s = Statfs{Type: magic, Bsize: pipePage, Frsize: pipePage, NameLen: NameMax}
	return nil
}
