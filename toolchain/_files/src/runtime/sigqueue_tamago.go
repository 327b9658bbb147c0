//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// signalWaiting reports whether signal_recv waits for a signal.
//
//go:linkname signalWaiting os/signal.signalWaiting
func signalWaiting() bool { return sig.state.Load() == sigReceiving }
