//go:build !tamago

package netlab

import (
	"errors"

	"github.com/yolkos/yolk/drivers/nic"
)

func open() (nic.Device, error) { return nil, errors.New("this is no machine of its own") }
