//go:build !tamago

package lab

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/yolkos/yolk/labs/internal/report"
)

// endless does not come to an end, and never lets others run.
func endless() {
	for {
	}
}

// TestLimit: a program that does not come to an end says so, and where it was.
func TestLimit(t *testing.T) {
	const child = "YOLK_LAB_ENDLESS"
	if os.Getenv(child) != "" {
		hostTime = 1
		limitHost()
		endless()
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLimit$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), report.OverTime+"\n") || !strings.Contains(string(out), "lab.endless") {
		t.Errorf("%v: %s", err, out)
	}
}
