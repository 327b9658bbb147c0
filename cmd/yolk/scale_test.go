package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestManyNames: a guest that looks at more files than it may remember, by its
// memory or by the descriptors of its server, forgets as many as it has to and
// notices nothing.
func TestManyNames(t *testing.T) {
	needGuest(t)
	const files = 20_000
	dir, root := probe(t), t.TempDir()
	layout := map[string]string{}
	for i := range files {
		layout[fmt.Sprint("many/file", i)] = ""
	}
	layOut(t, root, layout)
	for i, descriptors := range []string{"", "3000"} {
		t.Run(strings.TrimSpace(machines[i]+" "+descriptors), func(t *testing.T) {
			t.Parallel()
			cmd := yolkCommand(t, dir, "run", "--machine", machines[i], "--mem", "64M", "--root", root, ".", "--", "names", "/many")
			if descriptors != "" {
				shell, err := exec.LookPath("sh")
				if err != nil {
					t.Fatal(err)
				}
				// A superuser who may raise the limit again does so.
				cmd.Args = append([]string{"sh", "-c", "ulimit -n " + descriptors + "; exec \"$@\"", "sh"}, append([]string{cmd.Path}, cmd.Args[1:]...)...)
				cmd.Path = shell
			}
			r := runCommand(t, cmd)
			if r.status != 0 || !strings.HasPrefix(r.stdout, fmt.Sprintf("looked at %d\n", files+500)) {
				t.Fatalf("status %d\n%.2000s\n%s", r.status, r.stdout, r.stderr)
			}
			c := counters(t, r.stdout)
			if c["held"] > c["limit"] || c["limit"] < 10_000 || c["limit"] > 64<<20/4096 {
				t.Errorf("%d names are held, of %d", c["held"], c["limit"])
			}
			if c["server.nodes"] > c["held"] || c["server.nodes"]+c["server.forgotten"] < files {
				t.Errorf("the server keeps %d files, and was told to forget %d, with %d names", c["server.nodes"], c["server.forgotten"], c["held"])
			}
			if used := c["server.nodes"] + c["server.handles"]; c["server.limit"] > 0 && used > c["server.limit"] {
				t.Errorf("%d descriptors in use, of %d", used, c["server.limit"])
			}
			if c["server.handles"] != 1 {
				t.Errorf("%d handles, want that of the open file", c["server.handles"])
			}
			if sent := c["FORGET"] + c["BATCH_FORGET"]; sent == 0 || sent > c["server.forgotten"]/10 {
				t.Errorf("%d messages to forget %d files", sent, c["server.forgotten"])
			}
			if c["LOOKUP.errors"] > 100 || c["broken"] != 0 {
				t.Errorf("%d lookups failed, %d replies were broken", c["LOOKUP.errors"], c["broken"])
			}
			t.Logf("%d names of %d, %d files at the server of %d, %d forgotten", c["held"], c["limit"], c["server.nodes"], c["server.limit"], c["server.forgotten"])
		})
	}
}

// counters reads lines with a name and a number.
func counters(t *testing.T, text string) map[string]int {
	c := map[string]int{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(value); err == nil {
			c[name] = n
		}
	}
	return c
}
