package manifest

import (
	"strings"
	"testing"
	"time"
)

// example is a Spec with one of everything.
func example() Spec {
	return Spec{
		Name: "notes", Prefix: "/opt/notes", Registry: "registry.example.com:5000/team", Tag: "0123456789ab",
		Machine: "microvm", Memory: 256 << 20, CPUs: 2, Stop: 10 * time.Second, Replicas: 3, Probe: "/healthz?full=1&x=<y>",
		Ports: []Port{{Host: 80, Guest: 8080}, {Bind: "127.0.0.1", Host: 5353, Guest: 53, UDP: true}},
		Volumes: []Volume{
			{Data, "data", "/var/lib/notes"}, {Config, "conf", "/etc/notes"}, {Secret, "tls", "/etc/tls"},
		},
		Disks: []Disk{{Path: "/var/lib/notes/disk.raw", Format: "raw"}, {Path: "/dev/sdb", Format: "raw", ReadOnly: true}},
	}
}

// bare is a Spec of a program that needs nothing.
func bare() Spec {
	return Spec{Name: "hello", Prefix: "/opt/hello", Tag: "0123456789ab", Machine: "q35", Memory: 64 << 20, CPUs: 1, Stop: time.Second, Replicas: 1}
}

// TestCheck: each thing that is wrong is an error that names it.
func TestCheck(t *testing.T) {
	for _, s := range []Spec{example(), bare()} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct {
		want   string
		change func(*Spec)
	}{
		{`--name ""`, func(s *Spec) { s.Name = "" }},
		{`--name "Notes"`, func(s *Spec) { s.Name = "Notes" }},
		{`--name "../x"`, func(s *Spec) { s.Name = "../x" }},
		{`--name "-x"`, func(s *Spec) { s.Name = "-x" }},
		{`--name "x-"`, func(s *Spec) { s.Name = "x-" }},
		{`--name "1x"`, func(s *Spec) { s.Name = "1x" }},
		{`--name "xxx`, func(s *Spec) { s.Name = strings.Repeat("x", maxName+1) }},
		{"--name \"x\\n", func(s *Spec) { s.Name = "x\ny" }},
		{"--prefix", func(s *Spec) { s.Prefix = "opt" }},
		{"--prefix", func(s *Spec) { s.Prefix = "/opt/../x" }},
		{"--prefix", func(s *Spec) { s.Prefix = "/opt/a b" }},
		{"--prefix", func(s *Spec) { s.Prefix = "/opt/%n" }},
		{"--prefix", func(s *Spec) { s.Prefix = "/" }},
		{"does not see", func(s *Spec) { s.Prefix = "/home/user/notes" }},
		{"--registry", func(s *Spec) { s.Registry = "Example.com" }},
		{"--registry", func(s *Spec) { s.Registry = "example.com/" }},
		{"--registry", func(s *Spec) { s.Registry = "example.com:port/x" }},
		{"--registry", func(s *Spec) { s.Registry = "example.com//x" }},
		{"--net tap=a,script=x", func(s *Spec) { s.Tap = "a,script=x" }},
		{"--net tap=0123456789abcdef", func(s *Spec) { s.Tap = "0123456789abcdef" }},
		{"--replicas 0", func(s *Spec) { s.Replicas = 0 }},
		{"--replicas 100000", func(s *Spec) { s.Replicas = 100000 }},
		{"--stop-timeout 0s", func(s *Spec) { s.Stop = 0 }},
		{"--stop-timeout", func(s *Spec) { s.Stop = 25 * time.Hour }},
		{"other than 0", func(s *Spec) { s.Ports[0].Host = 0 }},
		{"--publish [::1]:80:90: --publish 80:8080 has the same port", func(s *Spec) { s.Ports[1] = Port{Bind: "::1", Host: 80, Guest: 90} }},
		{"--probe", func(s *Spec) { s.Probe = "healthz" }},
		{"--probe", func(s *Spec) { s.Probe = "/a b" }},
		{"no --publish of a TCP port", func(s *Spec) { s.Ports = s.Ports[1:] }},
		{`--secret "TLS"`, func(s *Spec) { s.Volumes[2].Name = "TLS" }},
		{"--config root", func(s *Spec) { s.Volumes[1].Name = "root" }},
		{"--volume", func(s *Spec) { s.Volumes[0].Path = "data" }},
		{"--volume data:/", func(s *Spec) { s.Volumes[0].Path = "/" }},
		{"same name or place", func(s *Spec) { s.Volumes[1].Name = "data" }},
		{"same name or place", func(s *Spec) { s.Volumes[1].Path = "/var/lib/notes" }},
		{"--disk", func(s *Spec) { s.Disks[0].Path = "disk.raw" }},
		{"--disk", func(s *Spec) { s.Disks[0].Path = "/a,readonly=off" }},
	} {
		s := example()
		tt.change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %s", err, tt.want)
		}
	}
}

// FuzzCheck: what passes has no byte that means something in one of the languages of the
// files, or more than one line.
func FuzzCheck(f *testing.F) {
	f.Add("notes", "/opt/notes", "registry.example.com/team", "/etc/x", "tap0")
	f.Add("n", "/a b", "r:1/", "/", "")
	f.Fuzz(func(t *testing.T, name, prefix, registry, path, tap string) {
		s := example()
		s.Name, s.Prefix, s.Registry, s.Volumes[0].Path, s.Disks[0].Path, s.Tap = name, prefix, registry, path, path, tap
		if s.Check() != nil {
			return
		}
		for _, v := range []string{name, prefix, registry, path, tap} {
			if strings.ContainsAny(v, " \t\r\n\"'\\$%&<>{}[]#,;|*?!`~\x00") {
				t.Errorf("%q passes", v)
			}
		}
		if _, err := s.Files(); err != nil {
			t.Error(err)
		}
	})
}
