package pcilab

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

var listedLine = regexp.MustCompile(`^([0-9a-f]{2}):([0-9a-f]{2})\.([0-7]) .*\[([0-9a-f]{4})\]: .*\[([0-9a-f]{4}):([0-9a-f]{4})\]`)

// listed returns what Yolk's own driver has found: /proc/yolk/pci.
func listed() ([]Function, error) {
	text, err := os.ReadFile("/proc/yolk/pci")
	if err != nil {
		return nil, err
	}
	var list []Function
	for line := range strings.Lines(string(text)) {
		m := listedLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("/proc/yolk/pci: %q", line)
		}
		var f Function
		for i, v := range []any{&f.Bus, &f.Dev, &f.Fn, &f.Class, &f.Vendor, &f.Device} {
			if _, err := fmt.Sscanf(m[i+1], "%x", v); err != nil {
				return nil, fmt.Errorf("/proc/yolk/pci: %q: %w", line, err)
			}
		}
		list = append(list, f)
	}
	return list, nil
}
