// Package schematest decodes what package manifest writes into the types of the projects
// that are to read it, which are many: it is a module of its own.
package schematest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	kubevirt "kubevirt.io/api/core/v1"
	"libvirt.org/go/libvirtxml"
	"sigs.k8s.io/yaml"

	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
)

// specs have everything, nothing, and what lies between.
func specs() map[string]manifest.Spec {
	all := manifest.Spec{
		Name: "notes", Prefix: "/opt/notes", Registry: "registry.example.com:5000/team", Tag: "0123456789ab", Hostname: "guest",
		Machine: "microvm", Memory: 256 << 20, CPUs: 2, Stop: 1500 * time.Millisecond, Replicas: 3, Probe: `/healthz?full=1&x='{y}'`,
		Ports: []manifest.Port{{Host: 80, Guest: 8080}, {Bind: "127.0.0.1", Host: 65535, Guest: 53, UDP: true}},
		Volumes: []manifest.Volume{
			{Kind: manifest.Data, Name: "data", Path: "/var/lib/notes"}, {Kind: manifest.Config, Name: "on", Path: "/etc/notes"}, {Kind: manifest.Secret, Name: "tls", Path: "/etc/tls"},
		},
		Disks: []manifest.Disk{{Path: "/var/lib/notes/disk.raw", Format: "raw"}, {Path: "/dev/sdb", Format: "raw", ReadOnly: true}},
	}
	alone := all
	alone.Replicas, alone.Probe = 1, ""
	shared := all
	shared.Shared, shared.Volumes, shared.Disks = true, nil, nil
	tap := all
	tap.Tap, tap.Ports, tap.Probe, tap.Host = "tap0", nil, "", []string{"--net", "tap=tap0"}
	return map[string]manifest.Spec{
		"all": all, "alone": alone, "shared": shared, "tap": tap,
		"none": {Name: "no", Prefix: "/opt/no", Tag: "0123456789ab", Machine: "q35", Memory: 64 << 20, CPUs: 1, Stop: time.Second, Replicas: 1},
	}
}

// each runs a test of a file with each Spec.
func each(t *testing.T, name string, test func(t *testing.T, s *manifest.Spec, data []byte)) {
	for title, s := range specs() {
		t.Run(title, func(t *testing.T) {
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			list, err := s.Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				if f.Name == name {
					test(t, &s, f.Data)
					if t.Failed() {
						t.Logf("%s", f.Data)
					}
					return
				}
			}
			if !s.Shared {
				t.Errorf("no %s", name)
			}
		})
	}
}

// documents decodes each document of a YAML file into what its kind says.
func documents(t *testing.T, data []byte, kinds map[string]func() any) (list []any) {
	t.Helper()
	for text := range strings.SplitSeq(string(data), "\n---\n") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatal(err)
		}
		made, ok := kinds[head.APIVersion+" "+head.Kind]
		if !ok {
			t.Fatalf("%+v", head)
		}
		v := made()
		if err := yaml.UnmarshalStrict([]byte(text), v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

var kubernetes = map[string]func() any{
	"apps/v1 Deployment":            func() any { return new(apps.Deployment) },
	"v1 Service":                    func() any { return new(core.Service) },
	"v1 PersistentVolumeClaim":      func() any { return new(core.PersistentVolumeClaim) },
	"policy/v1 PodDisruptionBudget": func() any { return new(policy.PodDisruptionBudget) },
	"kubevirt.io/v1 VirtualMachine": func() any { return new(kubevirt.VirtualMachine) },
}

// one returns the only value of a type in a list.
func one[T any](t *testing.T, list []any) *T {
	t.Helper()
	var found *T
	for _, v := range list {
		if p, ok := v.(*T); ok {
			if found != nil {
				t.Fatalf("two of %T", p)
			}
			found = p
		}
	}
	return found
}

func TestKubernetes(t *testing.T) {
	each(t, "kubernetes.yaml", func(t *testing.T, s *manifest.Spec, data []byte) {
		list := documents(t, data, kubernetes)
		d := one[apps.Deployment](t, list)
		pod := d.Spec.Template
		c := pod.Spec.Containers[0]
		for k, v := range d.Spec.Selector.MatchLabels {
			if pod.Labels[k] != v || len(validation.IsValidLabelValue(v)) > 0 {
				t.Errorf("labels %v, selector %v", pod.Labels, d.Spec.Selector)
			}
		}
		if *d.Spec.Replicas != int32(s.Replicas) || c.Image != s.Reference() {
			t.Errorf("%d replicas of %s", *d.Spec.Replicas, c.Image)
		}
		if !*pod.Spec.SecurityContext.RunAsNonRoot || *c.SecurityContext.AllowPrivilegeEscalation || !*c.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%+v, %+v", pod.Spec.SecurityContext, c.SecurityContext)
		}
		// What the guest has at most, it is asked for; the container is ended after the
		// program has had its time.
		memory := c.Resources.Limits[core.ResourceMemory]
		if memory.Value() < int64(s.Memory) || *pod.Spec.TerminationGracePeriodSeconds < int64(s.StopSeconds()) {
			t.Errorf("memory %v, grace %d", memory, *pod.Spec.TerminationGracePeriodSeconds)
		}
		names := map[string]bool{}
		for _, p := range c.Ports {
			if errs := validation.IsValidPortName(p.Name); len(errs) > 0 || names[p.Name] {
				t.Errorf("port %s: %v", p.Name, errs)
			}
			names[p.Name] = true
		}
		service := one[core.Service](t, list)
		if (service != nil) != (len(s.Ports) > 0) {
			t.Errorf("service %v", service)
		} else if service != nil {
			for i, p := range service.Spec.Ports {
				if !names[p.TargetPort.StrVal] || p.Port != int32(s.Ports[i].Host) || string(p.Protocol) != s.Ports[i].Protocol() {
					t.Errorf("%+v", p)
				}
			}
		}
		if probe := c.ReadinessProbe; (probe != nil) != (s.Probe != "") || probe != nil && (probe.HTTPGet.Path != s.Probe || !names[probe.HTTPGet.Port.StrVal]) {
			t.Errorf("%+v", probe)
		}
		claims := map[string]bool{}
		for _, v := range list {
			if c, ok := v.(*core.PersistentVolumeClaim); ok {
				claims[c.Name] = true
			}
		}
		volumes := map[string]core.Volume{}
		for _, v := range pod.Spec.Volumes {
			volumes[v.Name] = v
			if v.PersistentVolumeClaim != nil && !claims[v.PersistentVolumeClaim.ClaimName] {
				t.Errorf("no claim %s", v.PersistentVolumeClaim.ClaimName)
			}
		}
		for i, v := range s.Volumes {
			m := c.VolumeMounts[i]
			source := volumes[m.Name].VolumeSource
			there := map[manifest.Kind]bool{manifest.Data: source.PersistentVolumeClaim != nil, manifest.Config: source.ConfigMap != nil, manifest.Secret: source.Secret != nil}
			if m.Name != v.Name || m.MountPath != manifest.VolumesDir+"/"+v.Name || m.ReadOnly != v.ReadOnly() || !there[v.Kind] {
				t.Errorf("%+v, %+v", m, source)
			}
		}
		if len(c.VolumeDevices) != len(s.Disks) {
			t.Errorf("%+v", c.VolumeDevices)
		}
		if recreate := d.Spec.Strategy.Type == apps.RecreateDeploymentStrategyType; recreate != s.Alone() {
			t.Errorf("%+v", d.Spec.Strategy)
		}
	})
}

func TestKubeVirt(t *testing.T) {
	each(t, "kubevirt.yaml", func(t *testing.T, s *manifest.Spec, data []byte) {
		list := documents(t, data, kubernetes)
		vm := one[kubevirt.VirtualMachine](t, list)
		spec := vm.Spec.Template.Spec
		boot := spec.Domain.Firmware.KernelBoot
		if boot.Container.Image != s.Reference() || boot.Container.KernelPath != manifest.ImageDir+"/"+s.Image() {
			t.Errorf("%+v", boot.Container)
		}
		if len(spec.Domain.Devices.Filesystems) != len(s.Volumes) || len(spec.Domain.Devices.Disks) != len(s.Disks) || len(spec.Volumes) != len(s.Volumes)+len(s.Disks) {
			t.Errorf("%+v, %+v", spec.Domain.Devices, spec.Volumes)
		}
		for i, v := range s.Volumes {
			if spec.Domain.Devices.Filesystems[i].Virtiofs == nil || !strings.Contains(boot.KernelArgs, "yolk.path."+v.Name+"="+v.Path) {
				t.Errorf("%s: %+v, %s", v.Name, spec.Domain.Devices.Filesystems[i], boot.KernelArgs)
			}
		}
		if len(s.Ports) > 0 && len(spec.Domain.Devices.Interfaces[0].Ports) != len(s.Ports) {
			t.Errorf("%+v", spec.Domain.Devices.Interfaces)
		}
		if spec.Domain.Memory.Guest.Value() != int64(s.Memory) {
			t.Errorf("memory %v", spec.Domain.Memory.Guest)
		}
	})
}

func TestNomad(t *testing.T) {
	each(t, "nomad.json", func(t *testing.T, s *manifest.Spec, data []byte) {
		var job struct{ Job *nomad.Job }
		strict(t, data, &job)
		if job.Job == nil {
			t.Fatal("no job")
		}
		group := job.Job.TaskGroups[0]
		task := group.Tasks[0]
		if *group.Count != s.Replicas || task.Config["image"] != s.Reference() {
			t.Errorf("%d of %v", *group.Count, task.Config["image"])
		}
		if len(group.Networks[0].DynamicPorts) != len(s.Ports) || len(task.VolumeMounts) != len(s.Volumes) {
			t.Errorf("%+v, %+v", group.Networks[0], task.VolumeMounts)
		}
		for _, m := range task.VolumeMounts {
			if v := group.Volumes[*m.Volume]; v == nil || v.Type != "host" {
				t.Errorf("%+v", v)
			}
		}
		if *task.Resources.MemoryMB < int(s.MiB()) || task.KillTimeout.Seconds() < s.Stop.Seconds() {
			t.Errorf("%+v, %v", task.Resources, task.KillTimeout)
		}
		job.Job.Canonicalize() // what a server's client does first
	})
}

func TestLibvirt(t *testing.T) {
	each(t, "libvirt.xml", func(t *testing.T, s *manifest.Spec, data []byte) {
		var d libvirtxml.Domain
		if err := d.Unmarshal(string(data)); err != nil {
			t.Fatal(err)
		}
		if d.Name != s.Name || d.OS.Kernel != s.Prefix+"/"+s.Image() || d.Memory.Value != uint(s.MiB()) {
			t.Errorf("%+v", d)
		}
		shares := len(s.Volumes)
		if s.Shared {
			shares++
		}
		if len(d.Devices.Filesystems) != shares || len(d.Devices.Disks) != len(s.Disks) {
			t.Errorf("%+v", d.Devices)
		}
		if args := d.QEMUCommandline; s.Forwards() != (args != nil) || args != nil && (len(args.Args) != 4 || args.Args[1].Value != s.UserNet()) {
			t.Errorf("%+v", args)
		}
		// What this package's types do not know of is gone when they are written again.
		again, err := d.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if a, b := elements(t, data), elements(t, []byte(again)); a != b {
			t.Errorf("%s\nand\n%s", a, b)
		}
	})
}

// strict decodes JSON in which every name is known.
func strict(t *testing.T, data []byte, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatal(err)
	}
}

// elements counts the elements and attributes of an XML file by their names.
func elements(t *testing.T, data []byte) string {
	t.Helper()
	count := map[string]int{}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if token == nil {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			count["<"+e.Name.Local+">"]++
			for _, a := range e.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" { // which may stand at several elements
					count[e.Name.Local+"."+a.Name.Local]++
				}
			}
		}
	}
	return fmt.Sprint(count)
}
