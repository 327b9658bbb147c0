//go:build tamago

package kernel

import (
	"strings"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// provided is a file that another package of the kernel makes.
type provided struct {
	path string
	node func(f *synth.FS) fs.Node
}

// Provide has programs find a file, whose contents text appends to b: of /sys; and
// "net/tcp" of /proc. It is called before the program starts.
func Provide(path string, text func(b []byte) []byte) {
	m := &booted
	if name, ok := strings.CutPrefix(path, "net/"); ok {
		m.proc.Network(name, text)
		return
	}
	m.provided = append(m.provided, provided{path, func(f *synth.FS) fs.Node { return f.NewText(text) }})
}

// Cover has programs find a file of /etc, "etc/hosts", which hides that of the root
// (fs.VFS.Cover). It is called before the program starts.
func Cover(path string, n fs.Node) {
	m := &booted
	m.vfs.Cover("/" + path)
	m.provided = append(m.provided, provided{path, func(*synth.FS) fs.Node { return n }})
}

// addProvided adds what is below dir to one of the fallback's directories.
func (m *machine) addProvided(f *synth.FS, dir string, d *synth.Dir) {
	for _, p := range m.provided {
		if name, ok := strings.CutPrefix(p.path, dir+"/"); ok {
			d.Add(name, p.node(f))
		}
	}
}
