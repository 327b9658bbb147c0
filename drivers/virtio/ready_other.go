//go:build !tamago

package virtio

// othersReady is for tests, which have many CPUs or a function of their own.
func othersReady() bool { return false }
