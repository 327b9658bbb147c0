package manifest

import (
	"fmt"
	"strconv"
)

// Command is a command line of yolk run, less the program's arguments.
type Command struct{ Args []string }

// host is the command on a host, the bundle in dir and volume v at volumes(v), with further
// options.
func (s *Spec) host(dir string, volumes func(Volume) string, options ...string) Command {
	args := append(append(s.machine(), options...), s.Host...)
	for _, p := range s.Ports {
		args = append(args, "-p", p.Option(true))
	}
	if s.Hostname != "" {
		args = append(args, "--hostname", s.Hostname)
	}
	args = append(args, s.shares(dir, volumes)...)
	for _, d := range s.Disks {
		args = append(args, "--disk", d.Path+mode(d.ReadOnly))
	}
	return Command{append(args, dir+"/"+s.Image())}
}

// machine are the options that are the same everywhere.
func (s *Spec) machine() []string {
	return []string{
		"run", "-q", "--machine", s.Machine, "--mem", fmt.Sprintf("%dM", s.MiB()), "--cpus", strconv.Itoa(s.CPUs),
		"--stop-timeout", s.Stop.String(),
	}
}

// shares are the options for the root and the volumes.
func (s *Spec) shares(dir string, volumes func(Volume) string) []string {
	var args []string
	if s.Shared {
		args = append(args, "--root", dir+"/root:ro")
	}
	for _, v := range s.Volumes {
		args = append(args, "--mount", volumes(v)+":"+v.Path+mode(v.ReadOnly()))
	}
	return args
}

func mode(readOnly bool) string {
	if readOnly {
		return ":ro"
	}
	return ":rw"
}

// Start is the command of the start script, in which two variables of the shell stand
// before names: $here for the bundle and $volumes for the volumes.
func (s *Spec) Start() Command {
	return s.host("$here", func(v Volume) string { return "$volumes/" + v.Name })
}

// builtin has directories served by yolk's own server: virtiofsd asks for root, or for
// namespaces.
var builtin = []string{"--daemon", "builtin"}

// Service is the command of the service, which has no rights.
func (s *Spec) Service() Command { return s.host(s.Prefix, s.Place, builtin...) }

// Directories of the OCI image.
const (
	ImageDir   = "/bundle"  // with what is in a bundle
	VolumesDir = "/volumes" // on which volumes are mounted, by their names
)

// Container is the command of a container, which has none either.
func (s *Spec) Container() Command {
	args := append(s.machine(), builtin...)
	for _, p := range s.Ports {
		args = append(args, "-p", p.Option(false))
	}
	if s.Hostname != "" {
		args = append(args, "--hostname", s.Hostname)
	}
	args = append(args, s.shares(ImageDir, func(v Volume) string { return VolumesDir + "/" + v.Name })...)
	for i, d := range s.Disks {
		args = append(args, "--disk", s.Device(i)+mode(d.ReadOnly))
	}
	return Command{append(args, ImageDir+"/"+s.Image())}
}

// Device is where a container has disk i.
func (s *Spec) Device(i int) string { return fmt.Sprintf("/dev/disk%d", i) }
