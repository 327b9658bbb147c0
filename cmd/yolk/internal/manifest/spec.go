// Package manifest writes the files that start an image: on one host, by a service
// manager, as a virtual machine of others, and as a container. Each is a template in
// files/, of a Spec.
package manifest

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"
)

// Spec says what an image needs where it runs.
type Spec struct {
	Name     string // of the service: a label of DNS
	Prefix   string // where the bundle lies on a host, absolute
	Registry string // of the OCI image, with a path perhaps; empty: the local one
	Tag      string // of the OCI image
	NoImage  bool   // there is none

	Machine string // microvm or q35
	Memory  uint64 // of the guest, in bytes
	CPUs    int
	Stop    time.Duration // how long the program may take to end

	Ports    []Port
	Host     []string // options of yolk run that make the network on a host
	Hostname string
	Tap      string   // the device of --net tap; empty: the user's network
	MAC      string   // of the guest's device on Tap; empty: any
	Network  []string // with Tap: the kernel's words for the network, NAME=VALUE without yolk.net
	Shared   bool     // the root is the directory root of the bundle, read-only, and not in the image
	Volumes  []Volume
	Disks    []Disk

	Replicas int
	Probe    string // path of an HTTP request that tells whether the program serves; empty: none
}

// Port is one of the guest's that is reached by another one from outside.
type Port struct {
	Bind  string // address of the host; empty: all. Containers do without
	Host  uint16
	Guest uint16
	UDP   bool
}

// Protocol names the transport as Kubernetes does.
func (p Port) Protocol() string {
	if p.UDP {
		return "UDP"
	}
	return "TCP"
}

// Name names the port in a list of ports: a label with a letter in it, of 15 characters at
// most (RFC 6335 §5.1).
func (p Port) Name() string { return fmt.Sprintf("%s-%d", strings.ToLower(p.Protocol()), p.Host) }

// Label is Name as Nomad takes it.
func (p Port) Label() string { return strings.ReplaceAll(p.Name(), "-", "_") }

// Option is the port as yolk run has it behind --publish.
func (p Port) Option(bind bool) string {
	s := fmt.Sprintf("%d:%d", p.Host, p.Guest)
	if bind && p.Bind != "" {
		b := p.Bind
		if strings.Contains(b, ":") {
			b = "[" + b + "]"
		}
		s = b + ":" + s
	}
	if p.UDP {
		s += "/udp"
	}
	return s
}

// Kind says what is in a volume, and so who makes it and who may change it.
type Kind string

// The kinds.
const (
	Data   Kind = "volume" // the program's own files, which stay
	Config Kind = "config" // settings, read-only
	Secret Kind = "secret" // keys and passwords, read-only
)

// Volume is a directory that the guest gets by virtio-fs.
type Volume struct {
	Kind Kind
	Name string // a label of DNS: of the directory, ConfigMap, Secret or claim
	Path string // in the guest
}

// ReadOnly reports whether the guest may change nothing.
func (v Volume) ReadOnly() bool { return v.Kind != Data }

// Disk is a file or block device of the host that is a disk of the guest.
type Disk struct {
	Path     string // absolute
	ReadOnly bool
	Format   string // raw or qcow2
}

// maxName is the longest label of DNS (RFC 1035 §2.3.4), less room for what is put behind
// it.
const maxName = 63 - 8

// CheckName reports what is wrong with the name of a service or volume.
func CheckName(option, name string) error {
	ok := name != "" && len(name) <= maxName && name[0] >= 'a' && name[0] <= 'z' && name[len(name)-1] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	if ok {
		return nil
	}
	return fmt.Errorf("%s %q: want small letters, digits and hyphens, a letter first, %d at most", option, name, maxName)
}

// CheckPath reports what is wrong with an absolute path that stands in files of several
// languages, none of which is to read more into it than a name.
func CheckPath(option, p string) error {
	switch {
	case !path.IsAbs(p) || path.Clean(p) != p:
		return fmt.Errorf("%s %q: want an absolute path, without . and .. and a / at its end", option, p)
	case strings.ContainsFunc(p, func(r rune) bool {
		return !strings.ContainsRune("/._-+@", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}):
		return fmt.Errorf("%s %q: want letters, digits and ._-+@ in a path", option, p)
	}
	return nil
}

// hidden are the directories of a host that its service does not see.
var hidden = []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"}

// Check reports the first thing that is wrong.
func (s *Spec) Check() error {
	if err := CheckName("--name", s.Name); err != nil {
		return err
	}
	if err := CheckPath("--prefix", s.Prefix); err != nil {
		return err
	}
	for _, dir := range hidden {
		if s.Prefix == dir || strings.HasPrefix(s.Prefix, dir+"/") {
			return fmt.Errorf("--prefix %s: a service does not see what is in %s; /opt/%s is a place", s.Prefix, dir, s.Name)
		}
	}
	if s.Prefix == "/" {
		return fmt.Errorf("--prefix /: want a directory for this bundle alone, such as /opt/%s", s.Name)
	}
	if err := checkRegistry(s.Registry); err != nil {
		return err
	}
	// IFNAMSIZ, less the NUL at the end.
	if len(s.Tap) > 15 || strings.ContainsFunc(s.Tap, func(r rune) bool {
		return !strings.ContainsRune("._-", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return fmt.Errorf("--net tap=%s: want the name of a device, letters, digits and ._-, 15 at most", s.Tap)
	}
	if s.Replicas < 1 || s.Replicas > math.MaxInt16 {
		return fmt.Errorf("--replicas %d: want a number from 1 to %d", s.Replicas, math.MaxInt16)
	}
	if s.Stop <= 0 || s.Stop > 24*time.Hour {
		return fmt.Errorf("--stop-timeout %v: what a service manager ends has a limit, of a day at most", s.Stop)
	}
	if err := s.checkPorts(); err != nil {
		return err
	}
	if err := s.checkVolumes(); err != nil {
		return err
	}
	for _, d := range s.Disks {
		if err := CheckPath("--disk", d.Path); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) checkPorts() error {
	for i, p := range s.Ports {
		if p.Host == 0 {
			return fmt.Errorf("--publish %s: a service is reached by a port that is known: want one other than 0", p.Option(true))
		}
		// In a container both are bound to all addresses.
		if j := slices.IndexFunc(s.Ports[:i], func(q Port) bool { return q.Host == p.Host && q.UDP == p.UDP }); j >= 0 {
			return fmt.Errorf("--publish %s: --publish %s has the same port", p.Option(true), s.Ports[j].Option(true))
		}
	}
	switch {
	case s.Probe == "":
	case !strings.HasPrefix(s.Probe, "/") || strings.ContainsFunc(s.Probe, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
		return fmt.Errorf("--probe %q: want the path of a URL, such as /healthz", s.Probe)
	case s.HTTP() == nil:
		return fmt.Errorf("--probe %s: there is no --publish of a TCP port to ask", s.Probe)
	}
	return nil
}

func (s *Spec) checkVolumes() error {
	for i, v := range s.Volumes {
		option := "--" + string(v.Kind)
		if err := CheckName(option, v.Name); err != nil {
			return err
		}
		if v.Name == "root" {
			return fmt.Errorf("%s root: the name is taken by the root", option)
		}
		if err := CheckPath(option, v.Path); err != nil {
			return err
		}
		if v.Path == "/" {
			return fmt.Errorf("%s %s:/: the root is that of --root", option, v.Name)
		}
		for _, other := range s.Volumes[:i] {
			if other.Name == v.Name || other.Path == v.Path {
				return fmt.Errorf("%s %s:%s: --%s %s:%s has the same name or place", option, v.Name, v.Path, other.Kind, other.Name, other.Path)
			}
		}
	}
	return nil
}

// checkRegistry takes what may stand before the name of an image: a host, with a port
// perhaps, and a path (the names of the OCI distribution specification).
func checkRegistry(r string) error {
	if r == "" {
		return nil
	}
	parts := strings.Split(r, "/")
	host, port, hasPort := strings.Cut(parts[0], ":")
	parts[0] = host
	ok := !hasPort || port != "" && len(port) <= 5 && strings.Trim(port, "0123456789") == ""
	for _, part := range parts {
		ok = ok && part != "" && !strings.ContainsAny(part[:1]+part[len(part)-1:], ".-_") && !strings.ContainsFunc(part, func(r rune) bool {
			return !strings.ContainsRune(".-_", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		})
	}
	if !ok {
		return fmt.Errorf("--registry %q: want a registry and a path there, such as registry.example.com/team", r)
	}
	return nil
}

// Reference names the OCI image.
func (s *Spec) Reference() string {
	if s.Registry == "" {
		return s.Name + ":" + s.Tag
	}
	return s.Registry + "/" + s.Name + ":" + s.Tag
}

// Image is the file of the image in the bundle.
func (s *Spec) Image() string { return s.Name + ".elf" }

// MiB is the memory of the guest.
func (s *Spec) MiB() uint64 { return s.Memory >> 20 }

// overhead is what QEMU, its translated code and the processes of yolk take beside the
// guest's memory, in MiB.
const overhead = 256

// LimitMiB is the memory of the guest and of what runs it.
func (s *Spec) LimitMiB() uint64 { return s.MiB() + overhead }

// StopSeconds is how long the program may take to end, and GraceSeconds how long whoever
// asks for it should wait before force is used.
func (s *Spec) StopSeconds() int  { return int(math.Ceil(s.Stop.Seconds())) }
func (s *Spec) GraceSeconds() int { return s.StopSeconds() + 5 }

// drain is how long a machine goes on to serve after it was taken from those that are asked,
// in seconds, as long as there may be some who have not heard of it.
const drain = 5

// DrainSeconds is that time, and PodGraceSeconds that of a pod's end, which has it in it.
func (s *Spec) DrainSeconds() int    { return drain }
func (s *Spec) PodGraceSeconds() int { return s.GraceSeconds() + drain }

// RequestCPU and LimitCPU are the processors of a container: one more than the guest's at
// most, for QEMU's and the network's own threads; MHz is what Nomad is to set aside.
func (s *Spec) RequestCPU() string { return fmt.Sprintf("%dm", 250*s.CPUs) }
func (s *Spec) LimitCPU() string   { return fmt.Sprint(s.CPUs + 1) }
func (s *Spec) MHz() int           { return 1000 * s.CPUs }

// Alone reports whether two machines must not run side by side: what they keep is for one.
func (s *Spec) Alone() bool {
	return s.Replicas == 1 && (s.Has(Data) || slices.ContainsFunc(s.Disks, func(d Disk) bool { return !d.ReadOnly }))
}

// TapName is the device of the host for monitors that have no other network.
func (s *Spec) TapName() string {
	if s.Tap == "" && len(s.Ports) > 0 {
		return "tap0"
	}
	return s.Tap
}

// Forwards reports whether ports lead to the guest by QEMU's own network.
func (s *Spec) Forwards() bool { return s.Tap == "" && len(s.Ports) > 0 }

// UserNet is QEMU's own network, with the ports of a host. libvirt has an element for these with the backend
// passt alone, which that of Debian 12 refuses.
func (s *Spec) UserNet() string {
	text := "user,id=net"
	for _, p := range s.Ports {
		text += fmt.Sprintf(",hostfwd=%s:%s:%d-:%d", strings.ToLower(p.Protocol()), p.Bind, p.Host, p.Guest)
	}
	return text
}

// beyondUserNet reports whether a port is one that QEMU's own network cannot have: it listens at IPv4 addresses.
func (s *Spec) beyondUserNet() bool {
	return s.Forwards() && slices.ContainsFunc(s.Ports, func(p Port) bool { return strings.Contains(p.Bind, ":") })
}

// HTTP is the port that probes ask: the first one of TCP.
func (s *Spec) HTTP() *Port {
	if i := slices.IndexFunc(s.Ports, func(p Port) bool { return !p.UDP }); i >= 0 {
		return &s.Ports[i]
	}
	return nil
}

// Privileged reports whether a port is one of those that a process needs a right for.
func (s *Spec) Privileged() bool {
	return slices.ContainsFunc(s.Ports, func(p Port) bool { return p.Host < 1024 })
}

// Has reports whether there is a volume of a kind.
func (s *Spec) Has(kind Kind) bool {
	return slices.ContainsFunc(s.Volumes, func(v Volume) bool { return v.Kind == kind })
}

// Place is where the service of a host has a volume.
func (s *Spec) Place(v Volume) string {
	base := map[Kind]string{Data: "/var/lib/", Config: "/etc/", Secret: "/run/"}[v.Kind]
	return base + s.Name + "/" + v.Name
}

// Device reports whether the disk is a device of the host.
func (d Disk) Device() bool { return strings.HasPrefix(d.Path, "/dev/") }

// DiskName names disk i in the guest.
func (s *Spec) DiskName(i int) string { return "vd" + string(rune('a'+i)) }

// Virtio names a virtio device for the machine's bus.
func (s *Spec) Virtio(name string) string {
	if s.Machine == "microvm" {
		return name + "-device"
	}
	return name + "-pci"
}

// Archive is the file of the OCI image in the bundle.
func (s *Spec) Archive() string { return s.Name + ".oci.tar" }
