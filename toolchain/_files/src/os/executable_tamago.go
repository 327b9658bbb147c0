//go:build tamago

package os

// executable is where the kernel has the image. Without a launcher, which has it, it
// fails with ENOENT.
func executable() (string, error) { return Readlink("/proc/self/exe") }
