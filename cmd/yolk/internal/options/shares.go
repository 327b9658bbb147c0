package options

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
)

// RootTag is the tag of the share that the kernel mounts as the root.
const RootTag = "root"

// Shares are the options that say which directories of the host the guest
// has, and where.
type Shares struct {
	Root   string
	mounts []string
}

// Add defines the options in set.
func (f *Shares) Add(set *pflag.FlagSet) {
	set.StringVar(&f.Root, "root", "", "directory of the host that the guest has as its root, DIR[:ro|:rw]")
	set.StringArrayVar(&f.mounts, "mount", nil, "directory of the host to mount in the guest, HOSTDIR:/guest/path[:ro|:rw] (repeatable)")
}

// shares makes the shares of --root and of each --mount.
func (f *Shares) shares(defaultRoot string) ([]qemu.Share, error) {
	var list []qemu.Share
	root, ro, _ := cutMode(f.Root)
	if f.Root != "" && root == "" {
		return nil, fmt.Errorf("--root %q: want DIR, with :ro behind it for read-only", f.Root)
	}
	if root == "" {
		root = defaultRoot
	}
	if root != "" {
		list = append(list, qemu.Share{Tag: RootTag, Dir: root, ReadOnly: ro})
	}
	for i, m := range f.mounts {
		spec, ro, moded := cutMode(m)
		// A directory's name may have colons in it: the last one before a
		// slash counts.
		at := strings.LastIndex(spec, ":/")
		if at <= 0 {
			return nil, fmt.Errorf("--mount %q: want HOSTDIR:/guest/path, with :ro behind it for read-only", m)
		}
		guest := spec[at+1:]
		if _, word, ok := strings.Cut(guest, ":"); ok && !moded {
			return nil, fmt.Errorf("--mount %q: %q is neither ro nor rw; if it is a part of the guest's path, put :rw behind it", m, word)
		}
		list = append(list, qemu.Share{Tag: fmt.Sprint("mount", i), Dir: spec[:at], Path: path.Clean(guest), ReadOnly: ro})
	}
	return list, nil
}

// cutMode takes :ro or :rw from the end of a --root or --mount. Who shares a
// directory with such a name puts another one behind it.
func cutMode(s string) (rest string, readOnly, given bool) {
	if rest, ok := strings.CutSuffix(s, ":ro"); ok {
		return rest, true, true
	}
	rest, ok := strings.CutSuffix(s, ":rw")
	return rest, false, ok
}
