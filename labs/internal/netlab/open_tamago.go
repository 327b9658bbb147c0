//go:build tamago

package netlab

import (
	"errors"
	"fmt"
	"os"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtionet"
	"github.com/yolkos/yolk/kernel"
)

// open opens the machine's network card, which the kernel leaves alone: without
// package net there is nothing in it that would drive one.
func open() (nic.Device, error) {
	t, mem := kernel.TakeDevice(virtio.DeviceNet)
	if t == nil {
		return nil, errors.New("the machine has no network card: start it with make run")
	}
	return virtionet.Open(t, mem, func(err error) { fmt.Fprintln(os.Stderr, err) })
}
