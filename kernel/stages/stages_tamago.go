//go:build tamago

package stages

import (
	"strconv"

	"github.com/yolkos/yolk/arch/amd64"
)

// Main is called right before main.main.
func Main() {
	amd64.BeginStage("main")
	list, hz := amd64.Stages()
	amd64.ControlString("yolk clock " + strconv.FormatUint(hz, 10) + "\n")
	for _, s := range list {
		amd64.ControlString(line(s.At, s.Name))
	}
}
