//go:build tamago

package time

// The tests load a zone in an init function of package time, which runs before
// there is a file system.
import _ "time/tzdata"
