package options

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/layout"
	"github.com/yolkos/yolk/qemu"
)

func TestShares(t *testing.T) {
	for _, c := range []struct {
		root   string
		mounts []string
		want   []qemu.Share
		err    string
	}{
		{"", nil, nil, ""},
		{"/d", nil, []qemu.Share{{Tag: "root", Dir: "/d"}}, ""},
		{"/d:ro", nil, []qemu.Share{{Tag: "root", Dir: "/d", ReadOnly: true}}, ""},
		{"/d:rw", nil, []qemu.Share{{Tag: "root", Dir: "/d"}}, ""},
		{"/a:b", nil, []qemu.Share{{Tag: "root", Dir: "/a:b"}}, ""},
		{"/a:ro:rw", nil, []qemu.Share{{Tag: "root", Dir: "/a:ro"}}, ""},
		{"/a:ro:ro", nil, []qemu.Share{{Tag: "root", Dir: "/a:ro", ReadOnly: true}}, ""},
		{"", []string{"/d:/srv/data", "/d:/etc/app/:ro", "d:/x:rw"}, []qemu.Share{
			{Tag: "mount0", Dir: "/d", Path: "/srv/data"},
			{Tag: "mount1", Dir: "/d", Path: "/etc/app", ReadOnly: true},
			{Tag: "mount2", Dir: "d", Path: "/x"},
		}, ""},
		{"", []string{"/a:b:/x", "/a:/b:/y", "C::/z", "/a:ro:/w:ro"}, []qemu.Share{
			{Tag: "mount0", Dir: "/a:b", Path: "/x"},
			{Tag: "mount1", Dir: "/a:/b", Path: "/y"},
			{Tag: "mount2", Dir: "C:", Path: "/z"},
			{Tag: "mount3", Dir: "/a:ro", Path: "/w", ReadOnly: true},
		}, ""},
		{"", []string{"/d:/x:y:rw", "/d:/x:ro:ro"}, []qemu.Share{
			{Tag: "mount0", Dir: "/d", Path: "/x:y"},
			{Tag: "mount1", Dir: "/d", Path: "/x:ro", ReadOnly: true},
		}, ""},
		{"", []string{"/d"}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{":/x"}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{"/d:relative"}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{""}, nil, "want HOSTDIR:/guest/path"},
		{"", []string{"/d:/x:RO"}, nil, `"RO" is neither ro nor rw`},
		{"", []string{"/d:/x:ro,z"}, nil, `"ro,z" is neither ro nor rw`},
	} {
		got, err := (&Shares{c.root, c.mounts}).shares("")
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
	if got, err := (&Shares{}).shares("/"); err != nil || len(got) != 1 || got[0].Dir != "/" {
		t.Errorf("the default for the root: %+v, %v", got, err)
	}
}

// The working directory and mount points are found as the guest will find them.
func TestTree(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	layout.Files(t, root, map[string]string{"dir/sub/file": "", "file": ""})
	layout.Files(t, other, map[string]string{"inner/file": ""})
	for name, target := range map[string]string{
		"link": "dir", "dir/up": "..", "absolute": "/dir/sub", "dangling": "none", "loop": "loop", "tofile": "file",
		"out": "../../../../dir", "dir/own": "/proc",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	long := "/" + strings.Repeat("n", 256)
	for _, c := range []struct {
		mounts string // paths in the guest where other is
		cwd    string
		err    string
	}{
		{"", "/", ""}, {"", "", ""}, {"", "dir", ""}, {"", "/dir/sub/", ""}, {"", "/dir/../dir/./sub", ""},
		{"", "/link/sub", ""}, {"", "/dir/up/dir", ""}, {"", "/absolute", ""}, {"", "/out/sub", ""}, {"", "/link/../file", "not a directory"},
		{"", "/tmp", ""}, {"", "/proc", ""}, {"", "/dev", ""}, {"", "/dir/own", ""},
		{"", "/none", "no such file"}, {"", "/dir/none", "no such file"}, {"", "/file", "not a directory"}, {"", "/file/x", "not a directory"},
		{"", "/tofile", "not a directory"}, {"", "/dangling", "no such file"}, {"", "/loop", "too many"}, {"", "/tmp/x", "no such file"},
		{"", "/proc/self", "no such file"}, {"", long, "256 bytes"}, {"", "/a\x00b", "NUL"}, {"", strings.Repeat("/a", 2100), "4201 bytes"},
		{"/m", "/m/inner", ""}, {"/m", "/m/none", "no such file"}, {"/m", "/m/inner/file", "not a directory"},
		{"/new/a/b", "/new/a", ""}, {"/new/a/b", "/new/a/b/inner", ""}, {"/new/a/b", "/new/x", "no such file"},
		{"/dir", "/dir/inner", ""}, {"/dir", "/dir/sub", "no such file"},
		{"/link/new/x", "/dir/new/x/inner", ""}, {"/link/new/x", "/link/new", ""},
		{"/tmp/x/y", "/tmp/x/y/inner", ""}, {"/m /m/new/q", "/m/new/q/inner", ""}, {"/m/a /m", "/m/a/inner", ""},
		{"/file", "/file/inner", ""},
		{"/file/x", "/", "not a directory"}, {"/loop/x", "/", "too many"}, {"/", "/", "goes to --root"}, {"/m /m", "/", "is taken by"},
		{"/dir/z /link/z", "/", "is taken by"}, {"/dir/own", "/", ""}, {"/proc", "/", "of its own"}, {"/dir/up/tmp", "/", "of its own"},
		{long, "/", "256 bytes"}, {long + "/x", "/", "256 bytes"}, {"/x\x00y", "/", "NUL"},
	} {
		shares := []qemu.Share{{Tag: RootTag, Dir: root}}
		for _, at := range strings.Fields(c.mounts) {
			shares = append(shares, qemu.Share{Tag: "m", Dir: other, Path: at})
		}
		tr, err := newGuestTree(shares, nil, false)
		if err == nil {
			err = tr.checkDir(c.cwd)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("mounts %.60q, working directory %.60q: error %v, want one with %q", c.mounts, c.cwd, err, c.err)
		}
	}
}

// TestDiskTree: what is on disks has its place in the tree as shares have, and what is there the
// host cannot know.
func TestDiskTree(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		shares, disks string // TAG:PATH, NAME:PATH
		own           bool
		cwd, err      string
	}{
		{"", "vda:/data", false, "/data", ""},
		{"", "vda:/data", false, "/data/whatever/there/is", ""},
		{"", "vda:/a/b", false, "/a", ""},
		{"", "vda:/data", false, "/other", "no such directory"},
		{"", "vda:/", false, "/whatever", ""},
		{"", "vda:/", false, "/proc/none", "no such directory"},
		{"", "", true, "/whatever", ""},
		{"", "vda:/data", true, "/whatever", ""},
		{"m:/data/sub", "vda:/data", false, "/data/sub", ""},
		{"m:/data/sub", "vda:/data", false, "/data/sub/none", "no such directory"},
		{"m:/data", "vda:/data/sub", false, "/data/sub/x", ""},
		{"m:/data", "vda:/data", false, "/", "--mount-disk vda:/data: /data is taken by --mount "},
		{"", "vda:/a vdb:/a", false, "/", "/a is taken by --mount-disk vda:/a"},
		{"root:/", "vda:/", false, "/", "/ is taken by --root "},
		{"root:/", "vda:/link/tmp", false, "/", "the guest has a /tmp of its own"},
		{"root:/", "vda:/data", false, "/data/x", ""},
		{"root:/", "vda:/data", false, "/x", "no such file"},
		{"", "vda:/tmp/x", false, "/tmp/x/y", ""},
	} {
		if err := os.Symlink("/", filepath.Join(dir, "link")); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		var shares []qemu.Share
		for _, s := range strings.Fields(c.shares) {
			tag, at, _ := strings.Cut(s, ":")
			shares = append(shares, qemu.Share{Tag: tag, Dir: dir, Path: at})
		}
		var disks DiskMounts
		for _, s := range strings.Fields(c.disks) {
			name, at, _ := strings.Cut(s, ":")
			disks.List = append(disks.List, qemu.DiskMount{Name: name, Path: at})
		}
		tr, err := newGuestTree(shares, disks.List, c.own)
		if err == nil {
			err = tr.checkDir(c.cwd)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: error %v", c, err)
		}
	}
}
