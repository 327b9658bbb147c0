package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/yolkos/yolk/qemu"
)

func TestShares(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		root   string
		mounts []string
		want   []qemu.Share
		err    string
	}{
		{"", nil, nil, ""},
		{dir, nil, []qemu.Share{{Tag: "root", Dir: dir}}, ""},
		{dir + ":ro", nil, []qemu.Share{{Tag: "root", Dir: dir, ReadOnly: true}}, ""},
		{"", []string{dir + ":/srv/data", dir + ":/etc/app/:ro"}, []qemu.Share{
			{Tag: "mount0", Dir: dir, Path: "/srv/data"},
			{Tag: "mount1", Dir: dir, Path: "/etc/app", ReadOnly: true},
		}, ""},
		{"", []string{dir}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{":/x"}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{dir + ":relative"}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{dir + ":/"}, nil, "goes to --root"},
		{"", []string{dir + ":/a", dir + ":/b/../a"}, nil, "is taken by"},
		{"", []string{"/no/such/directory:/a"}, nil, "/no/such/directory"},
		{"/no/such/directory:ro", nil, nil, "/no/such/directory"},
	} {
		got, err := shares(c.root, c.mounts)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q %q: %v, want an error with %q", c.root, c.mounts, err, c.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q %q: %+v, %v, want %+v", c.root, c.mounts, got, err, c.want)
		}
	}
}
