package fstest

import (
	"path"
	"strings"
)

// next makes the operation of step i.
func (p *player) next(i int) step {
	for {
		p.now = touched{}
		o := makers[p.r.IntN(len(makers))](p)
		if o.do == nil || p.c.Skip != nil && p.c.Skip(o.name) {
			continue
		}
		if p.one(3) {
			p.now.stamp = int64(i + 1)
		}
		p.now.leave = p.now.leave && p.c.ByPath
		return step{o, p.now}
	}
}

// fd chooses a descriptor for the operation.
func (p *player) fd() int {
	i := p.r.IntN(nfds)
	p.now.fds = append(p.now.fds, i)
	return i
}

// at chooses where path starts, mostly the working directory, and makes the
// place one of the operation's.
func (p *player) at(path string) (dir int) {
	dir = -1
	if p.one(5) {
		dir = p.r.IntN(nfds)
	}
	p.now.places = append(p.now.places, place{dir, path})
	return dir
}

// here makes path, from the working directory, one of the operation's places.
func (p *player) here(path string) string {
	p.now.places = append(p.now.places, place{-1, path})
	return path
}

var (
	fileNames = []string{"a", "b", "c", "l"}
	dirNames  = []string{"d", "e", "f", "l"}
)

// path makes a path of a few short names, so that they often meet. Most ends
// are names that files get; of dirPath, directories.
func (p *player) path() string    { return p.pathTo(fileNames) }
func (p *player) dirPath() string { return p.pathTo(dirNames) }

// pathTo makes a path that ends in one of the names: one that is known to
// exist, one in such a directory, or any.
func (p *player) pathTo(last []string) string {
	switch p.r.IntN(4) {
	case 0, 1:
		if known := p.known[p.pick(last...)]; known != nil {
			return p.pick(known...)
		}
	case 2:
		if known := p.known[p.pick(dirNames...)]; known != nil {
			return p.pick(known...) + "/" + p.pick(last...)
		}
	}
	return p.anyPath(last)
}

func (p *player) anyPath(last []string) string {
	var b strings.Builder
	if p.one(8) {
		b.WriteString("/")
	}
	for i := p.r.IntN(4); ; i-- {
		switch {
		case p.one(12):
			b.WriteString("..")
		case p.one(16):
			b.WriteString(".")
		case p.one(200):
			b.WriteString(strings.Repeat("n", 250+p.r.IntN(8)))
		case i > 0 || p.one(8):
			b.WriteString(p.pick(dirNames...))
		default:
			b.WriteString(p.pick(last...))
		}
		if i <= 0 {
			break
		}
		b.WriteString(p.pick("/", "/", "/", "//"))
	}
	switch {
	case p.one(12):
		b.WriteString("/")
	case p.one(300):
		return ""
	}
	return b.String()
}

// learn takes the paths that there are from a tree.
func (p *player) learn(tree []answer) {
	p.known = make(map[string][]string)
	for _, a := range tree {
		p.known[path.Base(a.of)] = append(p.known[path.Base(a.of)], a.of)
	}
}

// crowded tells that there are so many files and directories that paths would
// not meet often.
func (p *player) crowded() bool {
	n := 0
	for _, paths := range p.known {
		n += len(paths)
	}
	return n > 100
}

// clearOut makes a step that removes a directory and all that is in it.
func (p *player) clearOut() step {
	path := p.pathTo(dirNames)
	return step{removeAll(path), touched{places: []place{{-1, path}}, leave: p.c.ByPath}}
}
