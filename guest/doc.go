// Package guest holds the tests that run inside of the machine: make test boots
// them with yolk test on each machine type. They see the kernel as a program
// does, through the standard library.
package guest
