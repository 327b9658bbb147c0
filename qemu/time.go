package qemu

import (
	"encoding/binary"
	"io"
	"time"
)

// The kernel asks for the time by the port yolk.time: 8 bytes, which come back
// with this host's clock behind them, in nanoseconds since 1970, as 8 bytes, least
// significant first. What the kernel knows of the time between question and answer
// tells it how good the answer is.

// serveTime answers until the guest's end.
func serveTime(port io.ReadWriter) {
	var b [16]byte
	for {
		if _, err := io.ReadFull(port, b[:8]); err != nil {
			return
		}
		binary.LittleEndian.PutUint64(b[8:], uint64(time.Now().UnixNano()))
		if _, err := port.Write(b[:]); err != nil {
			return
		}
	}
}
