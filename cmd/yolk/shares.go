package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/yolkos/yolk/qemu"
)

// rootTag is the tag of the share that the kernel mounts as the root.
const rootTag = "root"

// readOnlySuffix ends a --root or --mount that the guest must not change.
const readOnlySuffix = ":ro"

// shares makes the shares of --root DIR[:ro] and of each --mount
// HOSTDIR:/guest/path[:ro].
func shares(root string, mounts []string) ([]qemu.Share, error) {
	var list []qemu.Share
	if root != "" {
		dir, ro := strings.CutSuffix(root, readOnlySuffix)
		list = append(list, qemu.Share{Tag: rootTag, Dir: dir, ReadOnly: ro})
	}
	taken := map[string]string{}
	for i, m := range mounts {
		spec, ro := strings.CutSuffix(m, readOnlySuffix)
		at := strings.LastIndex(spec, ":/")
		if at <= 0 {
			return nil, fmt.Errorf("--mount %q: want HOSTDIR:/guest/path, with %s behind it for read-only", m, readOnlySuffix)
		}
		guest := path.Clean(spec[at+1:])
		if guest == "/" {
			return nil, fmt.Errorf("--mount %q: what is to be the root goes to --root", m)
		}
		if other, ok := taken[guest]; ok {
			return nil, fmt.Errorf("--mount %q: %s is taken by --mount %q", m, guest, other)
		}
		taken[guest] = m
		list = append(list, qemu.Share{Tag: fmt.Sprint("mount", i), Dir: spec[:at], Path: guest, ReadOnly: ro})
	}
	for _, s := range list {
		if err := s.Check(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
