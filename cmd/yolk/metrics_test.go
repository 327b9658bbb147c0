package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestGuestMetrics asks a guest over its network for its metrics, which Prometheus's own
// parser reads, for its profiles and for its variables.
func TestGuestMetrics(t *testing.T) {
	needGuest(t)
	reader := filepath.Join(t.TempDir(), "openmetrics")
	build := exec.Command("go", "build", "-o", reader, ".")
	build.Dir = "testdata/openmetrics"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir, root := program(t, "operated"), t.TempDir()
	layOut(t, root, map[string]string{"file": strings.Repeat("x", 1<<20)})
	image := filepath.Join(dir, "operated.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			cmd := yolkCommand(t, dir, "run", "-q", "--timeout", "300s", "--machine", machine, "--cpus", "2", "-p", "127.0.0.1:0:80", "--root", root, image)
			stderr := startReady(t, cmd)
			port := regexp.MustCompile(`port (\d+) of the host`).FindStringSubmatch(stderr.String())
			if port == nil {
				t.Fatalf("no port: %s", stderr)
			}
			client := http.Client{Timeout: 5 * time.Minute}
			get := func(path string) string {
				t.Helper()
				r, err := client.Get("http://127.0.0.1:" + port[1] + path)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				text, err := io.ReadAll(r.Body)
				if err != nil || r.StatusCode != http.StatusOK {
					t.Fatalf("%s: %v, %s, %s", path, err, r.Status, text)
				}
				return string(text)
			}
			get("/metrics") // from now on times are measured
			get("/read")
			text := get("/metrics")
			read := exec.Command(reader)
			read.Stdin = strings.NewReader(text)
			families, err := read.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s\n%s", err, families, text)
			}
			for _, want := range []string{
				"process_start_time_seconds gauge 1\n", "yolk_cpu_seconds counter 4\n", "go_goroutines gauge 1\n", "go_gc_cycles counter 1\n",
				"yolk_mount info ", "yolk_interrupts counter ", "yolk_virtio_requests counter ", "yolk_fuse_requests counter ", "yolk_fuse_request_seconds histogram ",
				"yolk_network_receive_bytes counter 1\n",
			} {
				if !strings.Contains("\n"+string(families), "\n"+want) {
					t.Errorf("no %q among the families\n%s", want, families)
				}
			}
			for _, want := range []string{
				`(?m)^yolk_fuse_requests_total\{share="[^"]+",opcode="READ"\} [1-9]`,
				`(?m)^yolk_fuse_received_bytes_total\{share="[^"]+",opcode="READ"\} \d{7}$`,
				`(?m)^yolk_fuse_request_seconds_bucket\{share="[^"]+",opcode="(READ|GETATTR|LOOKUP|OPEN)",le="\+Inf"\} [1-9]`,
				`(?m)^yolk_network_receive_bytes_total\{device="eth0"\} [1-9]`,
				`(?m)^yolk_mount_info\{id="\d+",path="/",type="virtiofs",source="root",mode="rw"\} 1$`,
				`(?m)^yolk_virtio_received_bytes_total\{device="eth0",queue="[^"]+"\} [1-9]`,
			} {
				if !regexp.MustCompile(want).MatchString(text) {
					t.Errorf("no line %s\n%s", want, text)
				}
			}
			if profile := get("/debug/pprof/goroutine?debug=1"); !strings.HasPrefix(profile, "goroutine profile: total ") || !strings.Contains(profile, "main.main+") {
				t.Errorf("goroutines: %s", profile)
			}
			if heap := get("/debug/pprof/heap"); !strings.HasPrefix(heap, "\x1f\x8b") {
				t.Errorf("profile of the heap: %.100q", heap)
			}
			var vars struct {
				Memstats struct{ HeapAlloc uint64 }
				Cmdline  []string
			}
			if err := json.Unmarshal([]byte(get("/debug/vars")), &vars); err != nil || vars.Memstats.HeapAlloc == 0 || fmt.Sprint(vars.Cmdline) != "[operated.elf]" {
				t.Errorf("variables: %+v, %v", vars, err)
			}
		})
	}
}
