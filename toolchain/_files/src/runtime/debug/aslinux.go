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
	for i, s := range bi.Settings {
		if s.Key != "-tags" {
			continue
		}
		tags := slices.DeleteFunc(strings.Split(s.Value, ","), func(tag string) bool { return slices.Contains(boardTags, tag) })
		if bi.Settings[i].Value = strings.Join(tags, ","); len(tags) == 0 {
			bi.Settings = slices.Delete(bi.Settings, i, i+1)
		}
		return
	}
}

// boardTags say what package runtime/goos has in place of tamago's, for each program.
var boardTags = []string{"linkcpuinit", "linkprintk", "linkramsize", "linkramstart"}
