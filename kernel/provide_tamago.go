//go:build tamago

package kernel

import (
	"strings"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// provided is a file that another package of the kernel makes.
type provided struct {
	path    string
	text    func(b []byte) []byte
	changed func() fs.Time // nil: it always looks as old
}

// providedText is such a file in a directory.
type providedText struct {
	*synth.Text
	changed func() fs.Time
}

// Getattr implements fs.Node: who keeps what it has read learns that it is out of date.
func (t *providedText) Getattr(a *fs.Attr) error {
	err := t.Text.Getattr(a)
	if t.changed != nil {
		a.Mtime = t.changed()
		a.Ctime = a.Mtime
	}
	return err
}

// Provide has programs find a file, whose contents text appends to b: "etc/hosts" and
// others of /etc, which hide those of the root; of /sys; and "net/tcp" of /proc. It is
// called before the program starts.
func Provide(path string, text func(b []byte) []byte, changed func() fs.Time) {
	m := &booted
	if name, ok := strings.CutPrefix(path, "net/"); ok {
		m.proc.Network(name, text)
		return
	}
	if strings.HasPrefix(path, "etc/") {
		m.vfs.Cover("/" + path)
	}
	m.provided = append(m.provided, provided{path, text, changed})
}

// addProvided adds what is below dir to one of the fallback's directories.
func (m *machine) addProvided(f *synth.FS, dir string, d *synth.Dir) {
	for _, p := range m.provided {
		if name, ok := strings.CutPrefix(p.path, dir+"/"); ok {
			d.Add(name, &providedText{f.NewText(p.text), p.changed})
		}
	}
}
