package virtio

import (
	"fmt"
	"sync"
)

// Driver is what one type of device adds to the initialisation that all share.
type Driver struct {
	// Features are the device type's own features that the driver can use;
	// Required are those of them that it cannot do without.
	Features, Required uint64
	// Choose, if not nil, returns those of the offered features that the driver takes,
	// in place of all that are in Features: for one that needs another.
	Choose func(offered uint64) uint64
	// Setup reads the configuration and sets up the queues with AddQueue and
	// AddBufferQueue. It runs once the features stand and before the device is live (§3.1.1,
	// step 7), so it must not put anything into a queue.
	Setup func(d *Device) error
	// Changed, if not nil, is called after each configuration change, and now
	// and then without one. It must not call Close.
	Changed func(d *Device)
	// Failed, if not nil, is called once when the device has failed, after all
	// its requests were given back. It must not call Close.
	Failed func(err error)
}

// Device is a virtio device in use.
type Device struct {
	t        Transport
	mem      Memory
	drv      Driver
	offered  uint64
	features uint64
	queues   []*Queue
	buffers  []*BufferQueue

	running sync.WaitGroup // completion goroutines

	mu      sync.Mutex
	err     error // why the device no longer serves
	stopped chan struct{}
}

// Init brings a device to life in the order of virtio 1.2 §3.1.1. On error the
// device is left stopped with FAILED set, and its memory is given back.
func Init(t Transport, mem Memory, drv Driver) (*Device, error) {
	d := &Device{t: t, mem: mem, drv: drv, stopped: make(chan struct{})}
	if err := d.start(); err != nil {
		d.abandon()
		return nil, named(t, err)
	}
	return d, nil
}

func (d *Device) start() error {
	t := d.t
	if err := t.Reset(); err != nil {
		return err
	}
	status := uint8(StatusAcknowledge)
	t.SetStatus(status)
	status |= StatusDriver
	t.SetStatus(status)

	offered := t.DeviceFeatures()
	d.offered = offered
	if offered&FeatureVersion1 == 0 {
		return Errorf(t, "features", "%#x lack VIRTIO_F_VERSION_1 (a legacy device; add disable-legacy=on or force-legacy=false)", offered)
	}
	if missing := d.drv.Required &^ offered; missing != 0 {
		return Errorf(t, "features", "%#x lack %#x, which this driver needs", offered, missing)
	}
	features := d.drv.Features
	if d.drv.Choose != nil {
		features = d.drv.Choose(offered & features)
	}
	d.features = offered & (ringFeatures | features)
	t.SetDriverFeatures(d.features)
	status |= StatusFeaturesOK
	t.SetStatus(status)
	// A device that cannot work with the subset clears the bit again (§3.1.1,
	// step 6).
	if got := t.Status(); got&StatusFeaturesOK == 0 {
		return Errorf(t, "status", "%#x lacks FEATURES_OK: the device refuses features %#x out of the %#x that it offers", got, d.features, offered)
	}

	if err := d.drv.Setup(d); err != nil {
		return err
	}
	status |= StatusDriverOK
	t.SetStatus(status)
	for _, q := range d.queues {
		d.running.Add(1)
		go q.complete()
	}
	for _, q := range d.buffers {
		d.running.Go(func() { q.serve(q) })
	}
	d.running.Add(1)
	go d.watch()
	return nil
}

// abandon ends an initialisation that went wrong. Memory that the device may
// know of is freed only once it is known to have stopped.
func (d *Device) abandon() {
	if d.t.Close() == nil {
		d.freeMemory()
	}
	d.t.SetStatus(StatusFailed)
}

// Name names the device for messages.
func (d *Device) Name() string { return d.t.Name() }

// Transport returns the transport below.
func (d *Device) Transport() Transport { return d.t }

// Offered returns the features that the device has offered.
func (d *Device) Offered() uint64 { return d.offered }

// Features returns the features in force.
func (d *Device) Features() uint64 { return d.features }

// Queues returns the queues of requests.
func (d *Device) Queues() []*Queue { return d.queues }

// BufferQueues returns the queues of buffers.
func (d *Device) BufferQueues() []*BufferQueue { return d.buffers }

// AddQueue sets up and enables queue index with at most max descriptors (a
// power of two). Only a Driver's Setup calls it.
func (d *Device) AddQueue(index int, name string, max int) (*Queue, error) {
	q, err := newQueue(d, index, name, max)
	if err != nil {
		return nil, err
	}
	d.queues = append(d.queues, q)
	return q, q.enable()
}

// AddBufferQueue is AddQueue for a queue of buffers. Serve runs from when the device
// is live and returns once q.Wait has returned false.
func (d *Device) AddBufferQueue(index int, name string, max int, serve func(q *BufferQueue)) (*BufferQueue, error) {
	q, err := newBufferQueue(d, index, name, max, serve)
	if err != nil {
		return nil, err
	}
	d.buffers = append(d.buffers, q)
	return q, q.enable()
}

// watch waits for configuration changes; a device that is in trouble announces
// it as one (§2.1.2).
func (d *Device) watch() {
	defer d.running.Done()
	for d.t.WaitInterrupt(ConfigInterrupt) {
		if s := d.t.Status(); s&StatusDeviceNeedsReset != 0 {
			d.fail(Errorf(d.t, "status", "%#x has DEVICE_NEEDS_RESET: the device has met an error", s))
			return
		}
		if d.drv.Changed != nil {
			d.drv.Changed(d)
		}
	}
}

// Err returns why the device no longer serves, nil while it does.
func (d *Device) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// fail ends the use of a device that broke the rules.
func (d *Device) fail(err error) {
	if d.stop(err) && d.drv.Failed != nil {
		d.drv.Failed(err)
	}
}

// stop resets the device and then fails every request with err. The order is
// what matters: requesters get their buffers back, and may free them, only when
// the device can no longer write into them. It reports whether it was the first.
func (d *Device) stop(err error) bool {
	d.mu.Lock()
	first := d.err == nil
	if first {
		d.err = err
	}
	d.mu.Unlock()
	if !first {
		<-d.stopped
		return false
	}
	if cerr := d.t.Close(); cerr != nil {
		// It cannot be stopped; the most that can be done is to say so.
		err = fmt.Errorf("%w (and it does not stop: %v)", err, cerr)
		d.mu.Lock()
		d.err = err
		d.mu.Unlock()
	}
	for _, q := range d.queues {
		q.abort(err)
	}
	for _, q := range d.buffers {
		q.abort(err)
	}
	close(d.stopped)
	return true
}

// Abort stops a device of which is known that it will answer no more. Requests in
// flight and later ones fail with err. Failed is not called.
func (d *Device) Abort(err error) { d.stop(err) }

// Close stops the device and gives its memory back. Requests in flight fail
// with ErrClosed.
func (d *Device) Close() error {
	d.stop(fmt.Errorf("%s: %w", d.t.Name(), ErrClosed))
	d.running.Wait()
	d.freeMemory()
	return nil
}

func (d *Device) freeMemory() {
	for _, q := range d.queues {
		q.freeMemory()
	}
	for _, q := range d.buffers {
		q.freeMemory()
	}
}
