package virtio

// Interrupt is one interrupt source that wakes a goroutine. It is what an
// architecture provides to the transports.
type Interrupt interface {
	// Wait parks the calling goroutine until the interrupt has fired since the
	// last call. It returns false after Close. A line that is level-triggered
	// stays masked from the moment it fires until the next call of Wait.
	Wait() bool
	// Close gives the vector back and ends Wait.
	Close()
}

// ConfigInterrupt is given to WaitInterrupt in place of a queue's number, to
// wait for a configuration change (§2.3).
const ConfigInterrupt = -1
