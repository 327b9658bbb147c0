package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// other is a server that others wrote, as it is in the module proxy, and how it is
// driven from the host.
type other struct {
	name  string
	pkg   string // with its version, or a directory here
	files map[string]string
	ports []string
	args  []string
	drive func(t *testing.T, s *server)
	stops bool // it ends with status 0 after SIGTERM
}

var others = []other{
	{
		name:  "caddy",
		pkg:   "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9",
		files: map[string]string{"site/index.html": "<p>served by caddy</p>\n", "Caddyfile": ":80 {\n\troot * /site\n\tfile_server\n\theader X-Test yes\n}\n"},
		ports: []string{"80"},
		args:  []string{"run", "--config", "/Caddyfile", "--adapter", "caddyfile"},
		drive: func(t *testing.T, s *server) {
			s.client("served by caddy", "curl", "-sS", "http://"+s.addr("80")+"/")
			if out := s.client("", "curl", "-sSI", "http://"+s.addr("80")+"/"); !strings.Contains(out, "X-Test: yes") {
				t.Errorf("headers: %s", out)
			}
			if out := s.client("", "ab", "-q", "-n", "200", "-c", "8", "-k", "http://"+s.addr("80")+"/"); !strings.Contains(out, "Failed requests:        0") {
				t.Errorf("ab: %s", out)
			}
		},
		stops: true,
	},
	{
		name: "coredns",
		pkg:  "github.com/coredns/coredns@v1.15.0",
		files: map[string]string{
			"Corefile": "example.org:53 {\n\tfile /zone\n}\n",
			"zone":     "$ORIGIN example.org.\n@ 3600 IN SOA ns hostmaster 1 7200 3600 1209600 3600\n@ IN NS ns\nns IN A 192.0.2.1\nwww IN A 192.0.2.80\nwww IN AAAA 2001:db8::80\n",
		},
		ports: []string{"53/udp", "53"},
		args:  []string{"-conf", "/Corefile"},
		drive: func(t *testing.T, s *server) {
			s.client("192.0.2.80", "dig", "@127.0.0.1", "-p", s.ports["53/udp"], "+time=2", "+tries=1", "+short", "www.example.org", "A")
			if out := s.client("", "dig", "@127.0.0.1", "-p", s.ports["53"], "+tcp", "+short", "www.example.org", "AAAA"); out != "2001:db8::80\n" {
				t.Errorf("over TCP: %q", out)
			}
			if out := s.client("", "dig", "@127.0.0.1", "-p", s.ports["53/udp"], "none.example.org"); !strings.Contains(out, "status: NXDOMAIN") {
				t.Errorf("a name that is not there: %s", out)
			}
		},
	},
	{
		name:  "nats-server",
		pkg:   "github.com/nats-io/nats-server/v2@v2.15.2",
		ports: []string{"4222", "8222"},
		args:  []string{"--jetstream", "--store_dir", "/data", "-m", "8222"},
		drive: func(t *testing.T, s *server) {
			s.client(`"status":"ok"`, "curl", "-sS", "http://"+s.addr("8222")+"/healthz")
			nats := func(args ...string) string {
				return s.client("", goProgram(t, "github.com/nats-io/natscli/nats@v0.5.0"), append([]string{"--server", "nats://" + s.addr("4222")}, args...)...)
			}
			nats("stream", "add", "S", "--subjects", "s.*", "--defaults")
			for i := range 3 {
				nats("pub", "--jetstream", "s.a", fmt.Sprint("message ", i))
			}
			if out := nats("stream", "get", "S", "--last-for", "s.a"); !strings.Contains(out, "message 2") {
				t.Errorf("what was published: %s", out)
			}
			if out := nats("bench", "pub", "b", "--msgs", "2000", "--size", "128", "--no-progress"); !strings.Contains(out, "msgs/sec") {
				t.Errorf("bench: %s", out)
			}
		},
	},
	{
		name:  "redis",
		pkg:   "./redis", // a few lines around github.com/alicebob/miniredis
		ports: []string{"6379"},
		drive: func(t *testing.T, s *server) {
			s.client("PONG", "redis-cli", "-p", s.ports["6379"], "ping")
			s.client("OK", "redis-cli", "-p", s.ports["6379"], "set", "key", "a value")
			if out := s.client("", "redis-cli", "-p", s.ports["6379"], "get", "key"); out != "a value\n" {
				t.Errorf("get: %q", out)
			}
			if out := s.client("", "redis-benchmark", "-p", s.ports["6379"], "-q", "-n", "2000", "-c", "16", "-t", "set,get"); !strings.Contains(out, "GET:") {
				t.Errorf("redis-benchmark: %s", out)
			}
		},
		stops: true,
	},
	{
		name:  "ssh",
		pkg:   "github.com/gliderlabs/ssh/_examples/ssh-simple@v0.3.8",
		ports: []string{"2222"},
		drive: func(t *testing.T, s *server) {
			s.client("Hello gopher", "ssh", append(sshOptions, "-p", s.ports["2222"], "gopher@127.0.0.1")...)
		},
	},
	{
		name:  "sftp",
		pkg:   "github.com/pkg/sftp/examples/go-sftp-server@v1.13.12",
		files: map[string]string{"there.txt": "it was there\n"},
		ports: []string{"2022"},
		drive: driveSFTP,
	},
	{
		name:  "node_exporter",
		pkg:   "github.com/prometheus/node_exporter@v1.12.1",
		ports: []string{"9100"},
		drive: func(t *testing.T, s *server) {
			out := s.client("node_memory_MemTotal_bytes", "curl", "-sS", "http://"+s.addr("9100")+"/metrics")
			for _, metric := range []string{"node_cpu_seconds_total", "node_filesystem_size_bytes", "node_load1", "go_goroutines"} {
				if !strings.Contains(out, "\n"+metric) {
					t.Errorf("there is no %s", metric)
				}
			}
		},
	},
}

// sshOptions have ssh and sftp ask nobody, and note nothing.
var sshOptions = []string{"-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"}

func driveSFTP(t *testing.T, s *server) {
	dir := t.TempDir()
	ask := filepath.Join(dir, "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho tiger\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSH_ASKPASS", ask)
	t.Setenv("SSH_ASKPASS_REQUIRE", "force")
	big := strings.Repeat("0123456789abcdef", 1<<16)
	if err := os.WriteFile(filepath.Join(dir, "up"), []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	batch := filepath.Join(dir, "batch")
	commands := "get /there.txt " + dir + "/there\nput " + dir + "/up /up\nrename /up /kept\nget /kept " + dir + "/down\nls -l /\n"
	if err := os.WriteFile(batch, []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	out := s.client("kept", "sftp", append(sshOptions, "-oBatchMode=no", "-b", batch, "-P", s.ports["2022"], "testuser@127.0.0.1")...)
	for file, want := range map[string]string{"there": "it was there\n", "down": big} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v; want %d: %s", file, len(got), err, len(want), out)
		}
	}
}

// TestGuestOthers runs servers that others wrote, unchanged, and drives them from the
// host with clients that others wrote.
func TestGuestOthers(t *testing.T) {
	yolk := guestTest(t)
	for _, o := range others {
		t.Run(o.name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{}
			for name, text := range o.files {
				files[name] = text
			}
			if o.name == "sftp" {
				files["id_rsa"] = hostKey(t)
			}
			for name, text := range files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			image := filepath.Join(t.TempDir(), o.name)
			build := exec.Command(yolk, "build", "-o", image, o.pkg)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v: %s", build.Args, err, out)
			}
			args := append([]string{"--root", root, "--mem", "512M", "--env", "HOME=/", image}, o.args...)
			s := serve(t, yolk, root, o.ports, args...)
			o.drive(t, s)
			if o.stops {
				s.stop()
			}
		})
	}
}

// hostKey makes a key for a server of SSH.
func hostKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	key, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// goProgram builds a program of a module for the host.
func goProgram(t *testing.T, pkg string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "install", pkg)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	name, _, _ := strings.Cut(pkg, "@")
	return filepath.Join(dir, filepath.Base(name))
}
