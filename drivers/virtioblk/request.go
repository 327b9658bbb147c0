package virtioblk

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Types of requests (§5.2.6).
const (
	typeIn          = 0
	typeOut         = 1
	typeFlush       = 4
	typeGetID       = 8
	typeDiscard     = 11
	typeWriteZeroes = 13
)

// Status of a request, which the device writes.
const (
	statusOK          = 0
	statusIOErr       = 1
	statusUnsupported = 2
	statusNone        = 0xff // none of the device's: it has written nothing
)

const (
	headerSize = 16
	idSize     = 20
	rangeSize  = 16 // struct virtio_blk_discard_write_zeroes
	flagUnmap  = 1
)

// depth is how many requests of one transfer are with the device at a time.
const depth = 4

// request is one request beside its data. It is used again.
type request struct {
	header [headerSize]byte
	status [1]byte
	in     [2][]byte
	out    [2][]byte
	flight *virtio.Request
	want   int // bytes that the device is to write
}

// start hands a request to the device: with data, which it reads if write, else fills.
func (d *Disk) start(r *request, kind uint32, at uint64, data []byte, write bool) (err error) {
	binary.LittleEndian.PutUint32(r.header[0:], kind)
	binary.LittleEndian.PutUint32(r.header[4:], 0)
	binary.LittleEndian.PutUint64(r.header[8:], at)
	r.status[0] = statusNone
	in, out := append(r.in[:0], r.header[:]), r.out[:0]
	r.want = 1
	if write && len(data) > 0 {
		in = append(in, data)
	} else if len(data) > 0 {
		out = append(out, data)
		r.want += len(data)
	}
	out = append(out, r.status[:])
	r.flight, err = d.queues[d.turn.Add(1)%uint32(len(d.queues))].Start(in, out)
	return err
}

// finish waits for the request and returns what became of it: EIO, or EOPNOTSUPP if
// the device does not know such requests. Nothing is taken for read that the device
// did not write.
func (d *Disk) finish(r *request) error {
	n, err := r.flight.Wait()
	r.flight, r.in, r.out = nil, [2][]byte{}, [2][]byte{}
	kind, at := binary.LittleEndian.Uint32(r.header[:]), binary.LittleEndian.Uint64(r.header[8:])
	switch {
	case err != nil:
		return err
	case r.status[0] == statusIOErr:
		return fmt.Errorf("%s: %s at sector %d failed on the host: %w", d.Name(), kindName(kind), at, syscall.EIO)
	case r.status[0] == statusUnsupported:
		return fmt.Errorf("%s: %s: %w", d.Name(), kindName(kind), syscall.EOPNOTSUPP)
	case r.status[0] != statusOK:
		return virtio.Errorf(d.dev.Transport(), "status", "%d of a %s at sector %d", r.status[0], kindName(kind), at)
	case n != r.want:
		return virtio.Errorf(d.dev.Transport(), "used length", "%d bytes of a %s at sector %d, want %d", n, kindName(kind), at, r.want)
	}
	return nil
}

func kindName(kind uint32) string {
	switch kind {
	case typeIn:
		return "read"
	case typeOut:
		return "write"
	case typeFlush:
		return "flush"
	case typeGetID:
		return "request for its name"
	case typeDiscard:
		return "discard"
	}
	return "write of zeroes"
}

// do does one request.
func (d *Disk) do(kind uint32, at uint64, data []byte, write bool) error {
	r := d.headers.Get().(*request)
	defer d.headers.Put(r)
	if err := d.start(r, kind, at, data, write); err != nil {
		return err
	}
	return d.finish(r)
}

// ReadAt implements io.ReaderAt for whole blocks within the disk; else EINVAL.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	return d.transfer(typeIn, p, off)
}

// WriteAt implements io.WriterAt likewise. What was written is on stable storage after
// Flush. EROFS: the disk is read-only.
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	if d.ReadOnly() {
		return 0, syscall.EROFS
	}
	return d.transfer(typeOut, p, off)
}

// transfer reads or writes p in requests of a size that the device takes, a few at a
// time. It returns how many bytes before the first failure are done.
func (d *Disk) transfer(kind uint32, p []byte, off int64) (int, error) {
	if err := d.within(off, int64(len(p))); err != nil {
		return 0, err
	}
	most := d.layout.transfer()
	if len(p) <= most {
		if len(p) == 0 {
			return 0, nil
		}
		if err := d.do(kind, uint64(off)/sector, p, kind == typeOut); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	var flights [depth]*request
	started, done, sent := 0, 0, 0
	var failed error
	for done < started || failed == nil && sent < len(p) {
		if failed == nil && sent < len(p) && started-done < depth {
			part := p[sent:min(sent+most, len(p))]
			r := d.headers.Get().(*request)
			if err := d.start(r, kind, uint64(off+int64(sent))/sector, part, kind == typeOut); err != nil {
				d.headers.Put(r)
				failed = err
				continue
			}
			flights[started%depth] = r
			started++
			sent += len(part)
			continue
		}
		r := flights[done%depth]
		if err := d.finish(r); err != nil {
			sent = min(sent, done*most) // what lies behind does not count
			if failed == nil {
				failed = err
			}
		}
		d.headers.Put(r)
		done++
	}
	return sent, failed
}

// within checks that a range is of whole blocks and on the disk.
func (d *Disk) within(off, n int64) error {
	block := int64(d.layout.blockSize)
	if off < 0 || n < 0 || off%block != 0 || n%block != 0 || off > math.MaxInt64-n || off+n > d.Size() {
		return fmt.Errorf("%s: %d bytes at %d: not whole blocks of %d within %d bytes: %w", d.Name(), n, off, block, d.Size(), syscall.EINVAL)
	}
	return nil
}

// Flush returns once all that was written before is on stable storage. A disk without
// a cache has it there already (§5.2.6.2).
func (d *Disk) Flush() error {
	if !d.has(featureFlush) {
		return nil
	}
	return d.do(typeFlush, 0, nil, true)
}

// Discard tells the host that n bytes at off are not needed: what is read there next
// is anything. EOPNOTSUPP: it does not want to know.
func (d *Disk) Discard(off, n int64) error {
	if !d.has(featureDiscard) {
		return syscall.EOPNOTSUPP
	}
	return d.ranges(typeDiscard, off, n, d.layout.maxDiscard, 0)
}

// WriteZeroes makes n bytes at off zero; unmap lets the host free their room.
// EOPNOTSUPP: it has no such request.
func (d *Disk) WriteZeroes(off, n int64, unmap bool) error {
	if !d.has(featureWriteZeroes) {
		return syscall.EOPNOTSUPP
	}
	flags := uint32(0)
	if unmap {
		flags = flagUnmap
	}
	return d.ranges(typeWriteZeroes, off, n, d.layout.maxZeroes, flags)
}

// ranges does requests for ranges of at most most sectors each (§5.2.6.1).
func (d *Disk) ranges(kind uint32, off, n int64, most, flags uint32) error {
	if d.ReadOnly() {
		return syscall.EROFS
	}
	if err := d.within(off, n); err != nil {
		return err
	}
	step := int64(most) * sector &^ int64(d.layout.blockSize-1)
	if step == 0 {
		return virtio.Errorf(d.dev.Transport(), "most sectors", "%d of a %s, less than a block of %d bytes", most, kindName(kind), d.layout.blockSize)
	}
	for n > 0 {
		part := min(n, step)
		b := make([]byte, rangeSize)
		binary.LittleEndian.PutUint64(b, uint64(off)/sector)
		binary.LittleEndian.PutUint32(b[8:], uint32(part/sector))
		binary.LittleEndian.PutUint32(b[12:], flags)
		if err := d.do(kind, 0, b, true); err != nil {
			return err
		}
		off, n = off+part, n-part
	}
	return nil
}

// identify asks for the disk's name, which need not have one. Bytes that cannot be
// printed are left out.
func (d *Disk) identify() (string, error) {
	b := make([]byte, idSize)
	err := d.do(typeGetID, 0, b, false)
	if err != nil && d.dev.Err() == nil {
		return "", nil // optional, and of no consequence
	}
	name, _, _ := strings.Cut(string(b), "\x00")
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, name), err
}
