package load

import (
	"os"

	"cmd/go/internal/str"
)

// liftedDir holds modules that are those of the module cache, brought to where an
// overlay may add files to them. Programs tell of themselves, by
// debug.ReadBuildInfo, as if they had been built in the module cache.
var liftedDir = os.Getenv("GOLIFTED")

// lifted reports whether a replacement is such a module.
func lifted(dir string) bool { return liftedDir != "" && str.HasFilePathPrefix(dir, liftedDir) }
