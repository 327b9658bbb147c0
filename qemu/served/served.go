// Package served is how the built-in file server tells the launcher when it took a
// request of FUSE and when it answered it: records of fixed size in a pipe.
//
// A record is in the pipe before the reply is in the guest's memory. Who has heard from the
// guest that a request has ended, and then takes what the pipe holds, has its record.
package served

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Record is a request that was answered. The times are of CLOCK_MONOTONIC of the host, in
// nanoseconds.
type Record struct {
	Unique uint64 // of the request
	From   int64  // it was in the server's hands
	To     int64  // its reply was ready
	Opcode uint32
	Lost   uint32 // how many records of this server were not written so far, as the pipe was full
}

// Size is that of a record, in bytes. Pipes take so few at once or not at all (pipe(7), PIPE_BUF).
const Size = 32

// AppendTo appends the record to b.
func (r Record) AppendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, r.Unique)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.From))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.To))
	b = binary.LittleEndian.AppendUint32(b, r.Opcode)
	return binary.LittleEndian.AppendUint32(b, r.Lost)
}

// Parse reads a record from the first Size bytes of b. It reports whether the times are some that a
// request can have.
func Parse(b []byte) (r Record, ok bool) {
	r = Record{
		Unique: binary.LittleEndian.Uint64(b), From: int64(binary.LittleEndian.Uint64(b[8:])), To: int64(binary.LittleEndian.Uint64(b[16:])),
		Opcode: binary.LittleEndian.Uint32(b[24:]), Lost: binary.LittleEndian.Uint32(b[28:]),
	}
	return r, 0 <= r.From && r.From <= r.To && r.To < maxTime
}

// maxTime is more than a host runs: a century.
const maxTime = int64(100 * 366 * 24 * time.Hour)

// capacity is how much a pipe is asked to hold, in bytes: it is emptied when the guest sends
// something, and that has more room.
const capacity = 1 << 20

// Pipe makes a pipe for the records of a server: what reads them, and the end for its process.
func Pipe() (*Reader, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, capacity) // else with what it holds
	return &Reader{file: r}, w, nil
}

// Reader takes records from a pipe. One may use it at a time.
type Reader struct {
	file *os.File
	buf  [128 * Size]byte
	lost uint32
}

// Take calls take with the records that are there, and does not wait for others. It reports whether
// more can come.
func (r *Reader) Take(take func(Record)) bool {
	raw, err := r.file.SyscallConn()
	if err != nil {
		return false
	}
	for {
		n := 0
		var failed error
		if err := raw.Read(func(fd uintptr) bool {
			n, failed = unix.Read(int(fd), r.buf[:])
			return true
		}); err != nil {
			return false
		}
		switch {
		case errors.Is(failed, unix.EINTR):
			continue
		case errors.Is(failed, unix.EAGAIN):
			return true
		case failed != nil, n == 0:
			return false
		}
		// A server writes whole records, and so does a pipe give them. One that does not
		// gets nothing told for it.
		for b := r.buf[:n]; len(b) >= Size; b = b[Size:] {
			if record, ok := Parse(b); ok {
				r.lost = max(r.lost, record.Lost)
				take(record)
			}
		}
	}
}

// Lost is how many records the server could not write, as far as it has said.
func (r *Reader) Lost() uint64 { return uint64(r.lost) }

// Close closes the pipe.
func (r *Reader) Close() error { return r.file.Close() }
