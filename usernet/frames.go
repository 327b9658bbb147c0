package usernet

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A frame on QEMU's stream is preceded by its length in 4 bytes, big-endian
// (net/stream.c of QEMU).
const frameLength = 4

// maxFrame is the largest frame that QEMU sends or takes, in bytes: NET_BUFSIZE of
// QEMU's net/net.h.
const maxFrame = 4096 + 65536

// frameReader takes a stream apart into frames.
type frameReader struct {
	r          io.Reader
	buf        []byte
	start, end int // what has been read and not been returned
}

// readAhead is how many bytes are read at once, at most.
const readAhead = 4 * maxFrame

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: r, buf: make([]byte, readAhead)}
}

// next returns a frame, which is valid until the next call. The error is io.EOF at
// the end of a frame; a length that no frame has ends the stream, too.
func (f *frameReader) next() ([]byte, error) {
	if err := f.fill(frameLength); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(f.buf[f.start:])
	if size > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes on the stream from QEMU: the largest is %d", size, maxFrame)
	}
	if err := f.fill(frameLength + int(size)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	frame := f.buf[f.start+frameLength : f.start+frameLength+int(size)]
	f.start += frameLength + int(size)
	return frame, nil
}

// fill reads until n bytes are there.
func (f *frameReader) fill(n int) error {
	if f.end-f.start >= n {
		return nil
	}
	if f.start+n > len(f.buf) || f.start == f.end {
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	for f.end-f.start < n {
		got, err := f.r.Read(f.buf[f.end:])
		f.end += got
		if f.end-f.start >= n {
			return nil
		}
		if err != nil {
			if err == io.EOF && f.end > f.start {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}
