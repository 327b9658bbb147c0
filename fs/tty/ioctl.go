package tty

import (
	"encoding/binary"
	"syscall"
)

// Requests of ioctl_tty(2).
const (
	TCGETS     = 0x5401
	TCSETS     = 0x5402
	TCSETSW    = 0x5403
	TCSETSF    = 0x5404
	TCGETA     = 0x5405
	TCSETA     = 0x5406
	TCSETAW    = 0x5407
	TCSETAF    = 0x5408
	TCSBRK     = 0x5409
	TCXONC     = 0x540a
	TCFLSH     = 0x540b
	TIOCEXCL   = 0x540c
	TIOCNXCL   = 0x540d
	TIOCSCTTY  = 0x540e
	TIOCGPGRP  = 0x540f
	TIOCSPGRP  = 0x5410
	TIOCOUTQ   = 0x5411
	TIOCSTI    = 0x5412
	TIOCGWINSZ = 0x5413
	TIOCSWINSZ = 0x5414
	TIOCINQ    = 0x541b // FIONREAD
	TIOCNOTTY  = 0x5422
	TIOCSETD   = 0x5423
	TIOCGETD   = 0x5424
	TCSBRKP    = 0x5425
	TIOCGSID   = 0x5429
	TIOCGEXCL  = 0x80045440
	TIOCGDEV   = 0x80045432
	TCGETS2    = 0x802c542a
	TCSETS2    = 0x402c542b
	TCSETSW2   = 0x402c542c
	TCSETSF2   = 0x402c542d

	// Of the master of a pseudo terminal.
	TIOCGPTN   = 0x80045430
	TIOCSPTLCK = 0x40045431
	TIOCGPTLCK = 0x80045439
	TIOCSIG    = 0x40045436
)

// Arguments of TCFLSH and TCXONC.
const (
	TCIFLUSH  = 0
	TCOFLUSH  = 1
	TCIOFLUSH = 2

	TCOOFF = 0
	TCOON  = 1
	TCIOFF = 2
	TCION  = 3
)

func number(b []byte) int               { return int(int32(binary.NativeEndian.Uint32(b))) }
func setNumber(b []byte, n int)         { binary.NativeEndian.PutUint32(b, uint32(n)) }
func half(b []byte, i int) uint16       { return binary.NativeEndian.Uint16(b[2*i:]) }
func setHalf(b []byte, i int, n uint16) { binary.NativeEndian.PutUint16(b[2*i:], n) }

// ioctl does a request on a terminal, for who has the master open or not. Data is
// what arg points to, with room for what the request takes and gives.
func (t *TTY) ioctl(req uint32, arg uint64, data []byte, master bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hungUp {
		return syscall.EIO
	}
	m := &t.d.termios
	switch req {
	case TCGETS, TCGETS2:
		m.Encode(data)
	case TCGETA:
		m.encodeOld(data)
	case TCSETS, TCSETSW, TCSETSF, TCSETS2, TCSETSW2, TCSETSF2, TCSETA, TCSETAW, TCSETAF:
		t.setTermios(req, data)
	case TCSBRK, TCSBRKP: // no line to put a break on, and what was written is shown
	case TCXONC:
		return t.flow(arg)
	case TCFLSH:
		return t.discard(arg, master)
	case TIOCEXCL, TIOCNXCL:
		t.excl = req == TIOCEXCL
	case TIOCGEXCL:
		setNumber(data, truth(t.excl))
	case TIOCOUTQ:
		setNumber(data, 0)
	case TIOCINQ:
		t.pump()
		setNumber(data, t.d.available())
	case TIOCSTI:
		return syscall.EIO // as with dev.tty.legacy_tiocsti=0
	case TIOCGWINSZ:
		for i, n := range []uint16{t.size.Row, t.size.Col, t.size.Xpixel, t.size.Ypixel} {
			setHalf(data, i, n)
		}
	case TIOCSWINSZ:
		t.resize(Winsize{half(data, 0), half(data, 1), half(data, 2), half(data, 3)})
	case TIOCGETD:
		setNumber(data, 0) // N_TTY
	case TIOCSETD:
		if number(data) != 0 {
			return syscall.EINVAL
		}
	case TIOCGDEV:
		setNumber(data, int(t.rdev))
	default:
		return t.set.control(t, req, data, master)
	}
	return nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// setTermios changes the settings by a request; t.mu is held.
func (t *TTY) setTermios(req uint32, data []byte) {
	m := t.d.termios
	switch req {
	case TCSETA, TCSETAW, TCSETAF:
		m.decodeOld(data)
	default:
		m.Decode(data)
	}
	m.settle()
	switch req {
	case TCSETSF, TCSETSF2, TCSETAF:
		t.pump()
		t.drop()
	}
	t.pump() // what was typed before is taken by the settings of before
	t.d.set(m)
	t.showEcho()
	t.wake(readable | writable)
}

// drop throws away what was typed; t.mu is held.
func (t *TTY) drop() {
	t.pending = t.pending[:0]
	t.d.flushInput()
	t.took()
}

// flow is TCXONC.
func (t *TTY) flow(how uint64) error {
	switch how {
	case TCOOFF:
		t.d.stopped, t.d.held = true, true
	case TCOON:
		if t.d.held {
			t.d.stopped, t.d.held = false, false
			t.showEcho()
		}
	case TCIOFF, TCION:
		key := t.d.termios.Cc[VSTOP]
		if how == TCION {
			key = t.d.termios.Cc[VSTART]
		}
		if key != disabled && t.master != nil {
			t.master.show(key)
		}
	default:
		return syscall.EINVAL
	}
	t.wake(writable)
	return nil
}

// discard is TCFLSH.
func (t *TTY) discard(which uint64, master bool) error {
	if which > TCIOFLUSH {
		return syscall.EINVAL
	}
	in, out := which != TCOFLUSH, which != TCIFLUSH
	if master {
		in, out = out, in
	}
	if in {
		t.drop()
	}
	if out && master {
		t.master.shown = nil
	}
	t.wake(readable | writable)
	return nil
}
