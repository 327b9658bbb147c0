package manifest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/internal/tools"
)

// written are the files of a Spec by their names.
func written(t *testing.T, s Spec) map[string]string {
	t.Helper()
	list, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range list {
		if strings.Contains(string(f.Data), "<no value>") || !strings.HasSuffix(string(f.Data), "\n") {
			t.Errorf("%s: %s", f.Name, f.Data)
		}
		files[f.Name] = string(f.Data)
	}
	return files
}

// TestStart: the shell makes of the start script's words what was meant.
func TestStart(t *testing.T) {
	s := example()
	s.Host = []string{"--net", "it's a $HOME", "--dns", "`x`"}
	dir := t.TempDir() + "/a b"
	place := filepath.Join(dir, "c")
	if err := os.MkdirAll(place, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"start": written(t, s)["start"], "yolk": "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"} {
		if err := os.WriteFile(filepath.Join(place, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("c/start", link); err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.NewReplacer("$here", place, "$volumes", place+"/volumes").Replace(strings.Join(s.Start().Args, "\n")), "\n")
	want = append(want, "--", "x y", "")
	for _, name := range []string{filepath.Join(place, "start"), link} {
		out, err := exec.Command(name, "x y", "").CombinedOutput()
		got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %q, want %q", name, err, got, want)
		}
	}
	if info, err := os.Stat(place + "/volumes/data"); err != nil || !info.IsDir() {
		t.Errorf("%v: the directory for data was not made", err)
	}
	cmd := exec.Command(link)
	cmd.Env = append(os.Environ(), "VOLUMES="+dir+"/v")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), dir+"/v/conf:/etc/notes:ro\n") {
		t.Errorf("VOLUMES: %v, %s", err, out)
	}
}

// TestScripts: the shell reads the scripts, of which there is none that could not work.
func TestScripts(t *testing.T) {
	shared := bare()
	shared.Shared = true
	tap := bare()
	tap.Tap, tap.Host, tap.Machine, tap.MAC = "tap0", []string{"--net", "tap=tap0"}, "microvm", "52:54:00:12:34:56"
	tap.Network = []string{"ip=192.0.2.2/24 2001:db8::2/64", "gateway=192.0.2.1"}
	disks := bare()
	disks.Disks = example().Disks
	for _, s := range []Spec{example(), bare(), shared, tap, disks} {
		files := written(t, s)
		if _, there := files["start-qemu"]; there == (s.Shared || len(s.Volumes) > 0) {
			t.Errorf("%+v: start-qemu %v", s, there)
		}
		for _, name := range []string{"start", "start-qemu"} {
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(files[name])
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s: %s", name, err, out, files[name])
			}
		}
	}
}

// TestService: systemd finds nothing wrong with the unit and much to like.
func TestService(t *testing.T) {
	tools.Find(t, "systemd-analyze")
	tap := example()
	tap.Tap, tap.Host = "tap0", []string{"--net", "tap=tap0"}
	for _, s := range []Spec{example(), bare(), tap} {
		s.Prefix = t.TempDir() // where there is a program for the unit
		if err := os.WriteFile(s.Prefix+"/yolk", nil, 0o700); err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(s.Prefix, s.Name+".service")
		if err := os.WriteFile(unit, []byte(written(t, s)[s.Name+".service"]), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
		// It looks at other units of the machine as well.
		if err != nil || strings.Contains(string(out), s.Name+".service") {
			t.Errorf("verify: %v: %s", err, out)
		}
		// In tenths: systemd 252 says 1.8, and others count a little otherwise.
		out, err = exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=25", unit).CombinedOutput()
		if err != nil {
			t.Errorf("security: %v: %s", err, out)
		}
	}
}

// TestUnitWord: what means something in a unit is kept from it.
func TestUnitWord(t *testing.T) {
	for word, want := range map[string]string{
		"--net": "--net", "a b": `"a b"`, "": `""`, "50%": "50%%", "$HOME": "$$HOME", `"`: `"\""`, `a\b`: `"a\\b"`, "it's": `"it's"`,
	} {
		if got := unitWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

// TestLibvirt: the domain is one by libvirt's own schema.
func TestLibvirt(t *testing.T) {
	tools.Find(t, "virt-xml-validate")
	tap := bare()
	tap.Tap, tap.MAC, tap.Network = "tap0", "52:54:00:12:34:56", []string{"ip=192.0.2.2/24 2001:db8::2/64"}
	shared := bare()
	shared.Shared = true
	for _, s := range []Spec{example(), bare(), tap, shared} {
		name := filepath.Join(t.TempDir(), "domain.xml")
		if err := os.WriteFile(name, []byte(written(t, s)["libvirt.xml"]), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("virt-xml-validate", name, "domain").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestUserNet: the ports lead to the guest where QEMU's own network does that, and where it cannot, there is no
// file that says so.
func TestUserNet(t *testing.T) {
	s := bare()
	s.Ports = []Port{{Host: 8080, Guest: 80}, {Bind: "127.0.0.1", Host: 53, Guest: 5353, UDP: true}}
	const want = "user,id=net,hostfwd=tcp::8080-:80,hostfwd=udp:127.0.0.1:53-:5353"
	for _, name := range []string{"start-qemu", "libvirt.xml"} {
		if text := written(t, s)[name]; !strings.Contains(text, want) {
			t.Errorf("%s has no %s:\n%s", name, want, text)
		}
	}
	s.Tap = "tap0"
	for _, name := range []string{"start-qemu", "libvirt.xml"} {
		if text := written(t, s)[name]; text == "" || strings.Contains(text, "hostfwd") {
			t.Errorf("%s with a tap device:\n%s", name, text)
		}
	}
	s.Tap, s.Ports[0].Bind = "", "::1"
	all := written(t, s)
	if all["start-qemu"] != "" || all["libvirt.xml"] != "" || all["start"] == "" {
		t.Errorf("with a port at ::1:\n%s%s", all["start-qemu"], all["libvirt.xml"])
	}
}

// TestMonitors: the files of the monitors that cannot be run here have the names that their
// documentation has, and the image's values.
func TestMonitors(t *testing.T) {
	s := example()
	s.Volumes = nil
	var fire struct {
		Boot struct {
			Kernel string `json:"kernel_image_path"`
			Args   string `json:"boot_args"`
		} `json:"boot-source"`
		Machine struct {
			CPUs int `json:"vcpu_count"`
			MiB  int `json:"mem_size_mib"`
		} `json:"machine-config"`
		Drives []struct {
			ID       string `json:"drive_id"`
			Path     string `json:"path_on_host"`
			Root     bool   `json:"is_root_device"`
			ReadOnly bool   `json:"is_read_only"`
		} `json:"drives"`
		Net []struct {
			ID  string `json:"iface_id"`
			Tap string `json:"host_dev_name"`
			MAC string `json:"guest_mac"`
		} `json:"network-interfaces"`
		Entropy struct{} `json:"entropy"`
	}
	strict(t, written(t, s)["firecracker.json"], &fire)
	if fire.Boot.Kernel != "/opt/notes/notes.elf" || fire.Boot.Args != "yolk.quiet" || fire.Machine.CPUs != 2 || fire.Machine.MiB != 256 || len(fire.Drives) != 2 || !fire.Drives[1].ReadOnly || len(fire.Net) != 1 || fire.Net[0].Tap != "tap0" {
		t.Errorf("%+v", fire)
	}
	type mode struct{ Mode string }
	type share struct {
		Tag, Socket string
		Queues      int `json:"num_queues"`
		Size        int `json:"queue_size"`
	}
	var cloud struct {
		Payload struct{ Kernel, Cmdline string }
		CPUs    struct {
			Boot int `json:"boot_vcpus"`
			Max  int `json:"max_vcpus"`
		} `json:"cpus"`
		Memory struct {
			Size   uint64
			Shared bool
		}
		Disks []struct {
			Path, Serial string
			ReadOnly     bool
		}
		FS              []share
		Net             []struct{ Tap, MAC string }
		RNG             struct{ Src string }
		Serial, Console mode
	}
	strict(t, written(t, example())["cloud-hypervisor.json"], &cloud)
	if cloud.Payload.Cmdline != "yolk.quiet yolk.path.data=/var/lib/notes yolk.path.conf=/etc/notes yolk.readonly.conf yolk.path.tls=/etc/tls yolk.readonly.tls" || cloud.Memory.Size != 256<<20 || !cloud.Memory.Shared ||
		len(cloud.FS) != 3 || cloud.FS[0].Tag != "data" || len(cloud.Disks) != 2 {
		t.Errorf("%+v", cloud)
	}
	if _, there := written(t, example())["firecracker.json"]; there {
		t.Error("Firecracker has no virtio-fs")
	}
	tap := bare()
	tap.Tap, tap.MAC, tap.Network = "tap7", "52:54:00:12:34:56", []string{"ip=192.0.2.2/24 2001:db8::2/64"}
	strict(t, written(t, tap)["cloud-hypervisor.json"], &cloud)
	strict(t, written(t, tap)["firecracker.json"], &fire)
	if fire.Net[0].Tap != "tap7" || fire.Net[0].MAC != tap.MAC || cloud.Net[0].MAC != tap.MAC || fire.Boot.Args != `yolk.quiet yolk.net.ip="192.0.2.2/24 2001:db8::2/64"` {
		t.Errorf("%+v, %+v", fire, cloud)
	}
	strict(t, written(t, bare())["cloud-hypervisor.json"], &cloud)
	strict(t, written(t, bare())["firecracker.json"], &fire)
}

// strict decodes JSON in which every name is known.
func strict(t *testing.T, data string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Errorf("%v: %s", err, data)
	}
}
