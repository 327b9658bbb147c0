package modload

import "cmd/go/internal/cfg"

// goosPath is the package through which the runtime reaches the machine that it
// runs on, for GOOS=tamago.
const goosPath = "runtime/goos"

// GOOSPKG names a package path of the build list; the package in its
// subdirectory goos stands in for goosPath. Empty means the one of GOROOT, with
// which programs link and do not run.
var GOOSPKG = cfg.Getenv("GOOSPKG")
