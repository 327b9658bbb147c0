package debug

import (
	"slices"
	"strings"
)

// asLinux has the settings of a program for GOOS=tamago say what they would say of one
// for Linux, as runtime.GOOS does: programs print them, and choose by them. What the file
// says is the build's: go version -m tells.
func (bi *BuildInfo) asLinux() {
	tamago := slices.Index(bi.Settings, BuildSetting{"GOOS", "tamago"})
	if tamago < 0 {
		return
	}
	bi.Settings[tamago].Value = "linux"
	bi.Settings = slices.DeleteFunc(bi.Settings, func(s BuildSetting) bool {
		return s.Key == "-tags" && ownTags(s.Value) == "" || s.Key == "-ldflags" && ownLinkerFlags(s.Value) == ""
	})
	for i, s := range bi.Settings {
		switch s.Key {
		case "-tags":
			bi.Settings[i].Value = ownTags(s.Value)
		case "-ldflags":
			bi.Settings[i].Value = ownLinkerFlags(s.Value)
		}
	}
}

// ownTags leaves out of build tags those that are the target's.
func ownTags(tags string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(tags, ","), func(tag string) bool { return slices.Contains(boardTags, tag) }), ",")
}

// ownLinkerFlags leaves out of a value of -ldflags what the target has put around the
// user's: that the image has no symbols, before, and where it lies, behind. A pattern of
// packages may stand before all.
func ownLinkerFlags(value string) string {
	place := strings.LastIndex(value, "-T 0x")
	if place < 0 || !strings.HasSuffix(value, " -R 0x1000") {
		return value
	}
	value = strings.TrimSpace(value[:place])
	pattern, flags, ok := strings.Cut(value, "=")
	if pattern += "="; !ok || strings.HasPrefix(value, "-") {
		pattern, flags = "", value
	}
	flags = strings.TrimSpace(strings.TrimPrefix(flags+" ", "-s -w "))
	if flags == "" {
		return ""
	}
	return pattern + flags
}

// boardTags say what package runtime/goos has in place of tamago's, for each program.
var boardTags = []string{"linkcpuinit", "linkprintk", "linkramsize", "linkramstart"}
