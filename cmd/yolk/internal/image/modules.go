package image

import (
	"strings"

	"github.com/yolkos/yolk"
)

// ThirdPartyPath is the module that stands in an image for those of ThirdParty.
const ThirdPartyPath = thirdPartyPath

// Module is a version of a module, with its line of go.sum.
type Module struct{ Path, Version, Sum string }

// ThirdParty lists the modules that an image with a network has parts of, under import
// paths of the kernel's own.
func ThirdParty() (list []Module) {
	for _, path := range thirdPartyModules {
		version, _, _ := strings.Cut(wordAfter(yolk.GoMod, path+" "), " ")
		list = append(list, Module{path, version, wordAfter(yolk.GoSum, path+" "+version+" ")})
	}
	return list
}
