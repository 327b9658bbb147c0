package qemu

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// getFeatures is a first message of vhost-user: the request (1), flags (the
// version, 1), the size of the payload (0).
var getFeatures = []byte{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}

// TestVirtiofsd has the virtiofsd of this machine answer the first message of
// vhost-user in every mode: it takes all the options that it is given.
func TestVirtiofsd(t *testing.T) {
	s, _, err := chooseServer(Virtiofsd)
	switch {
	case err != nil && os.Getenv("CI") != "" && os.Geteuid() == 0:
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	for _, mode := range []Cache{"", CacheAuto, CacheNone, "always"} {
		t.Run(string(mode), func(t *testing.T) {
			s.cache = mode
			p, conn, _, err := s.serve(Share{Tag: "root", Dir: t.TempDir()}, nil, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.kill()
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(time.Minute))
			_, err = conn.Write(getFeatures)
			reply := make([]byte, 20)
			if err == nil {
				_, err = io.ReadFull(conn, reply)
			}
			if err != nil {
				conn.Close()
				<-p.done
				t.Fatalf("%v: %v", err, p.end())
			}
		})
	}
}

// TestResolved: a share stays at the directory that its link led to, whatever the working
// directory and the link are later.
func TestResolved(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	link := func(to string) {
		os.Remove("current")
		if err := os.Symlink(to, "current"); err != nil {
			t.Fatal(err)
		}
	}
	link("one")
	s := Share{Tag: "root", Dir: "current", ReadOnly: true}
	got, err := s.resolved()
	link("two")
	if want := (Share{Tag: "root", Dir: filepath.Join(dir, "one"), ReadOnly: true}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	link("none")
	if _, err := s.resolved(); err == nil || !strings.HasPrefix(err.Error(), "cannot share current: ") {
		t.Errorf("a link to nothing: %v", err)
	}
}
