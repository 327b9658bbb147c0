package main

import (
	"io/fs"
	"os"
)

// usage adds up the room that files take: blocks of 512 bytes where the system
// counts them, else their sizes. A file with several names counts once.
type usage struct {
	*process
	human, all, summary bool
	seen                map[[2]uint64]bool
}

func du(p *process, args []string) error {
	u := usage{process: p, seen: make(map[[2]uint64]bool)}
	f := p.flags()
	f.BoolVarP(&u.human, "human-readable", "h", false, "")
	f.BoolVarP(&u.all, "all", "a", false, "")
	f.BoolVarP(&u.summary, "summarize", "s", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	paths := f.Args()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	return p.each(paths, func(name string) error {
		info, err := os.Lstat(p.at(name))
		if err != nil {
			return err
		}
		_, err = u.tree(name, info, true)
		return err
	})
}

// tree prints and returns the bytes below a file.
func (u *usage) tree(name string, info fs.FileInfo, named bool) (uint64, error) {
	if err := u.interrupted(); err != nil {
		return 0, err
	}
	d := details(info)
	total := uint64(d.blocks) * 512
	if !d.known {
		total = uint64(info.Size())
	}
	if id := [2]uint64{d.dev, d.ino}; d.known && d.nlink > 1 && !info.IsDir() {
		if u.seen[id] {
			return 0, nil
		}
		u.seen[id] = true
	}
	if info.IsDir() {
		entries, err := os.ReadDir(u.at(name))
		if err != nil {
			u.complain(u.name, err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				u.complain(u.name, err)
				continue
			}
			n, err := u.tree(at(name, e.Name()), info, false)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	if named || !u.summary && (u.all || info.IsDir()) {
		room := number((total + 1023) / 1024)
		if u.human {
			room = size(total)
		}
		u.printf("%-8s %s\n", room, u.shown(name))
	}
	return total, nil
}
