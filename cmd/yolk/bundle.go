package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/bundle"
	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// bundleOptions are the options of yolk bundle.
type bundleOptions struct {
	out     string
	build   options.Build
	embed   options.Embed
	net     options.Network
	disks   options.Disks
	shape   options.Machine
	stop    options.Limit
	volumes volumeFlags
	spec    manifest.Spec // what its options say as it stands
	verbose bool
}

func bundleCmd() *cobra.Command {
	var o bundleOptions
	cmd := &cobra.Command{
		Use:   "bundle -o DIR PKG",
		Short: "Build a main package into a directory with all that deploys it",
		Long: `Bundle builds a main package, named as for go build, into an image, and writes that into a
new directory with what starts it elsewhere: this program, start scripts, and a unit of
systemd. docs/DEPLOYMENT.md says what to do with each.

The image has its root, arguments, environment and working directory in it, as of yolk
build. --volume, --config and --secret are directories that the place where it runs
provides. The same sources make the same bundle, byte for byte.`,
		Example: "  yolk bundle -o out -p 8080:80 --root ./site --probe /healthz ./cmd/server\n" +
			"  yolk bundle -o out -p 8080:80 --volume data:/var/lib/notes --secret tls:/etc/tls --replicas 3 ./cmd/notes",
		ValidArgsFunction: options.CompletePackage,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	o.add(flags)
	options.CompleteFlags(cmd)
	return cmd
}

func (o *bundleOptions) add(flags *pflag.FlagSet) {
	o.stop = defaultStop
	flags.StringVarP(&o.out, "output", "o", "", "the directory to be made")
	flags.StringVar(&o.spec.Name, "name", "", "name of the service; default: the program's")
	flags.StringVar(&o.spec.Prefix, "prefix", "", "where the bundle is going to lie on a host; default: /opt/NAME")
	o.embed.Add(flags)
	o.net.Add(flags, "p")
	o.disks.Add(flags)
	o.shape.Add(flags, "256M")
	flags.Var(&o.stop, "stop-timeout", "end the guest this time after SIGTERM if its program has not ended")
	o.volumes.add(flags)
	o.build.Add(flags)
	flags.StringVar(&o.spec.Registry, "registry", "", "registry of the OCI image, and a path there, that manifests name")
	flags.IntVar(&o.spec.Replicas, "replicas", 1, "number of machines that serve side by side")
	flags.StringVar(&o.spec.Probe, "probe", "", "path of an HTTP request to the first port that tells whether the program serves")
	flags.BoolVar(&o.spec.Shared, "share-root", false, "have the root in a directory of the bundle, shared read-only by virtio-fs, not in the image")
	flags.BoolVar(&o.spec.NoImage, "no-oci", false, "no OCI image, which takes this host's QEMU with it, and no files for it")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show the commands that are run")
}

// volumeFlags are the options --volume, --config and --secret.
type volumeFlags struct{ list []manifest.Volume }

func (f *volumeFlags) add(set *pflag.FlagSet) {
	set.Var(&volumeFlag{f, manifest.Data}, string(manifest.Data), "NAME:/guest/path: files that the program writes, which stay (repeatable)")
	set.Var(&volumeFlag{f, manifest.Config}, string(manifest.Config), "NAME:/guest/path: settings, read-only (repeatable)")
	set.Var(&volumeFlag{f, manifest.Secret}, string(manifest.Secret), "NAME:/guest/path: keys and passwords, read-only (repeatable)")
}

// volumeFlag is one of them.
type volumeFlag struct {
	all  *volumeFlags
	kind manifest.Kind
}

func (f *volumeFlag) String() string { return "" }
func (f *volumeFlag) Type() string   { return "volume" }

func (f *volumeFlag) Set(s string) error {
	name, path, ok := strings.Cut(s, ":")
	if !ok {
		return errors.New("want NAME:/guest/path")
	}
	f.all.list = append(f.all.list, manifest.Volume{Kind: f.kind, Name: name, Path: path})
	return nil
}

func (o *bundleOptions) run(ctx context.Context, args []string) (err error) {
	if o.out == "" {
		return errors.New("no directory for the bundle: -o DIR")
	}
	if len(args) == 0 {
		return errors.New("no package to bundle; . is the one in this directory")
	}
	flags, err := o.build.Shipped()
	if err != nil {
		return err
	}
	s := o.spec
	n, err := o.fill(&s)
	if err != nil {
		return err
	}
	early := s
	early.Name, early.Prefix = cmp.Or(s.Name, "name"), cmp.Or(s.Prefix, "/opt/name")
	if err := errors.Join(early.Check(), bundle.Vacant(o.out)); err != nil {
		return err
	}
	b, done, err := shownBuilder(ctx, traceTo(o.verbose))
	if err != nil {
		return err
	}
	defer done()
	p, err := b.Program(ctx, args, flags...)
	if err != nil {
		return err
	}
	s.Name = cmp.Or(s.Name, p.Name)
	s.Prefix = cmp.Or(s.Prefix, "/opt/"+s.Name)
	if err := s.Check(); err != nil {
		return err
	}
	embed := o.embed
	if s.Shared {
		embed.Roots = nil
	}
	// The root is looked at before there is a bundle, which may come to lie in it.
	parts, err := embed.Into(p, filepath.Join(o.out, s.Image()))
	if err != nil {
		return err
	}
	dir, err := bundle.Create(o.out)
	if err != nil {
		return err
	}
	defer dir.Remove()
	file := filepath.Join(dir.Path, s.Image())
	if err := p.BuildWith(ctx, file, parts); err != nil {
		return err
	}
	if err := o.checkNetwork(&s, n, file); err != nil {
		return err
	}
	if err := o.write(dir, &s, b.Scratch); err != nil {
		return err
	}
	return dir.Done()
}

// write writes what is beside the image.
func (o *bundleOptions) write(dir *bundle.Dir, s *manifest.Spec, scratch string) error {
	if err := addSelf(dir); err != nil {
		return err
	}
	if s.Shared {
		if err := copyRoot(dir, o.embed.Roots); err != nil {
			return err
		}
	}
	if !s.NoImage {
		if err := dir.WriteImage(s, scratch); err != nil {
			return err
		}
	}
	files, err := s.Files()
	if err != nil {
		return err
	}
	if err := dir.Write(files); err != nil {
		return err
	}
	return dir.WriteModules(s, version(), image.ThirdParty())
}

// copyRoot copies what --root names.
func copyRoot(dir *bundle.Dir, roots []string) error {
	var sources []image.Source
	for _, text := range roots {
		s, err := options.RootSource(text)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	return dir.CopyRoot(sources)
}

// fill puts the options into s, but the name where it is to be the program's. It returns the
// network of the options.
func (o *bundleOptions) fill(s *manifest.Spec) (n qemu.Network, err error) {
	s.Machine, s.Memory, s.CPUs, s.Stop = o.shape.Type.Value, o.shape.Memory.Bytes, int(o.shape.CPUs), time.Duration(o.stop)
	s.Volumes = o.volumes.list
	if s.Shared && len(o.embed.Roots) == 0 {
		return n, errors.New("--share-root: there is no --root")
	}
	if s.Shared && o.embed.Writable {
		return n, errors.New("--writable is for a root in the image; with --share-root a --volume takes what is written")
	}
	if err := options.CheckHostname(o.net.Hostname); err != nil {
		return n, err
	}
	s.Hostname = o.net.Hostname
	n, err = o.net.QEMU()
	switch {
	case err != nil:
		return n, err
	case n.Pcap != "":
		return n, errors.New("--pcap is for one run, of yolk run")
	}
	if n.Backend == qemu.TapNetwork {
		s.Tap, s.Network = n.Tap, n.Words()
		if o.net.MAC != "" {
			s.MAC = n.MAC.String()
		}
	}
	for _, f := range n.User.Forwards {
		p := manifest.Port{Host: f.Host, Guest: f.Guest, UDP: f.UDP}
		if f.Bind.IsValid() {
			p.Bind = f.Bind.String()
		}
		s.Ports = append(s.Ports, p)
	}
	o.net.Given(func(option, value string) {
		if option != "publish" && option != "hostname" {
			s.Host = append(s.Host, "--"+option, value)
		}
	})
	for _, d := range o.disks.List {
		s.Disks = append(s.Disks, manifest.Disk{Path: d.Path, ReadOnly: d.ReadOnly, Format: string(d.Format)})
	}
	return n, errors.Join(options.CheckDiskMounts(o.embed.Mounts.List, len(o.disks.List)), o.checkRoom(n))
}

// checkRoom reports whether the machine has no room for its devices.
func (o *bundleOptions) checkRoom(n qemu.Network) error {
	shares := len(o.volumes.list)
	if o.spec.Shared {
		shares++
	}
	return options.CheckRoom(&qemu.Options{
		Machine: qemu.Machine(o.shape.Type.Value), Disks: o.disks.List, Network: n, Shares: make([]qemu.Share, shares),
	})
}

// checkNetwork reports ports that lead to nobody, because the program has no network, and
// whether there is room for one if it has.
func (o *bundleOptions) checkNetwork(s *manifest.Spec, n qemu.Network, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	has := image.HasNetwork(f)
	if len(s.Ports) > 0 && !has {
		return fmt.Errorf("--publish %s: the program does not have package net, so its image has no network", s.Ports[0].Option(true))
	}
	if has && n.Backend == "" {
		n.Backend = qemu.UserNetwork
	}
	return o.checkRoom(n)
}

// addSelf copies this program, which starts the image.
func addSelf(dir *bundle.Dir) error {
	return dir.Copy("yolk", "/proc/self/exe", 0o755)
}
