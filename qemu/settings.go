package qemu

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// addFiles gives the guest its arguments, environment and settings, and what to
// know of its servers. Each item of a list ends with a NUL byte.
func (g *guest) addFiles(srv server) error {
	o := g.o
	for _, s := range slices.Concat(o.Args, o.Env, []string{o.Dir}) {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%q: a NUL byte cannot be passed on", s)
		}
	}
	list := func(items []string) string { return strings.Join(append(slices.Clone(items), ""), "\x00") }
	flags := g.settings
	switch {
	case o.Log != nil, o.OnCrash != nil:
		flags += "log.marked=1\n"
	case o.Quiet:
		flags += "quiet=1\n"
	}
	if o.JSON {
		flags += "log=json\n"
	}
	if o.Hold != "" {
		flags += "hold=" + string(o.Hold) + "\n"
	}
	if o.Trace != nil {
		flags += "enosys=1\n"
	}
	if o.Hostname != "" {
		flags += "net.hostname=" + o.Hostname + "\n"
	}
	if o.Events != nil && o.Kinds != "" {
		flags += wire.Setting + "=" + o.Kinds + "\n"
	}
	flags += o.Network.settings()
	flags += srv.flags(o.Shares)
	for _, m := range o.DiskMounts {
		flags += m.Settings()
	}
	if len(o.Shares) > 0 {
		flags += "watch=1\n"
	}
	for _, f := range []struct{ name, data string }{
		{"args", list(o.Args)}, {"env", list(o.Env)}, {"cwd", o.Dir}, {"flags", flags},
		{"time", fmt.Sprint(time.Now().UnixNano())}, {"seed", o.seed()},
	} {
		if f.data == "" {
			continue // an empty file is as good as none
		}
		file, err := memfile(f.name, []byte(f.data))
		if err != nil {
			return err
		}
		g.config.Files = append(g.config.Files, File{Name: "opt/yolk/" + f.name, FD: g.files.add(file)})
	}
	return nil
}

// seed makes random bytes for the guest, other ones for each unless it is to be
// the same in each run.
func (o *Options) seed() string {
	seed := make([]byte, 64)
	if !o.Count {
		rand.Read(seed) // it does not fail
	}
	return string(seed)
}
