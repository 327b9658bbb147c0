// Package kernel starts the machine's devices and file systems before the
// program that imports it: import _ "github.com/yolkos/yolk/kernel".
//
// The linker of the project's toolchain has its init function run before any
// other that it does not need itself, so that files, arguments and environment
// are there for every init function of the program.
package kernel
