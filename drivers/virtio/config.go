package virtio

// configTries is how often a read of the configuration is begun anew because
// the device changed it meanwhile.
const configTries = 64

// ReadConfig calls read, which reads fields with Config8, Config16 and
// Config32, until the configuration stood still meanwhile (§2.5.1: a driver
// must not take several reads for one atomic one).
func (d *Device) ReadConfig(read func()) error {
	for range configTries {
		before := d.t.ConfigGeneration()
		read()
		if d.t.ConfigGeneration() == before {
			return nil
		}
	}
	return Errorf(d.t, "config generation", "changed during each of %d reads", configTries)
}

// Config8 reads an 8-bit field of the device configuration at byte offset off.
func (d *Device) Config8(off int) uint8 { return uint8(d.t.ReadConfig(off, 1)) }

// Config16 reads a 16-bit field.
func (d *Device) Config16(off int) uint16 { return uint16(d.t.ReadConfig(off, 2)) }

// Config32 reads a 32-bit field.
func (d *Device) Config32(off int) uint32 { return d.t.ReadConfig(off, 4) }
