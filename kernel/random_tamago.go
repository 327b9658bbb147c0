//go:build tamago

package kernel

import (
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtiorng"
)

// seedSize is how many bytes are asked of a device, enough for keys.
const seedSize = 32

// startRandom starts an entropy device. One serves as well as several.
func (m *machine) startRandom(t virtio.Transport) error {
	if m.rng != nil {
		m.logf("%s: not used: %s gives random numbers", t.Name(), m.rng.Name())
		m.undriven = append(m.undriven, t)
		return nil
	}
	if m.arena == nil {
		return fmt.Errorf("%s: no memory for devices", t.Name())
	}
	rng, err := virtiorng.Open(t, m.arena, m.fail)
	if err != nil {
		return err
	}
	m.rng = rng
	amd64.ExpectRandom(true)
	go m.seed()
	return nil
}

// seed mixes bytes of the device into the random numbers, and others each time
// that the machine was stopped: it may run in several copies since.
func (m *machine) seed() {
	b := make([]byte, seedSize)
	for {
		if _, err := io.ReadFull(m.rng, b); err != nil {
			m.fail(err)
			amd64.ExpectRandom(false)
			return
		}
		amd64.AddRandom(b)
		clear(b)
		<-m.resumed
	}
}

// random fills p for those who read the random devices.
func (m *machine) random(p []byte) error {
	if why := amd64.RandomError(); why != "" {
		weakRandom.Do(func() { m.logf("/dev/random: %s", why) })
		return syscall.EIO
	}
	amd64.Random(p)
	return nil
}

var weakRandom sync.Once
