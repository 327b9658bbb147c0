package amd64

import "time"

// The real-time clock (Motorola MC146818A) counts seconds. QEMU's runs by the
// host's clock, also while the machine is stopped, but its seconds begin whenever
// QEMU was started within one of the host's.

// Registers of the real-time clock.
const (
	rtcSeconds      = 0x00
	rtcSecondsAlarm = 0x01
	rtcMinutes      = 0x02
	rtcMinutesAlarm = 0x03
	rtcHours        = 0x04
	rtcHoursAlarm   = 0x05
	rtcDay          = 0x07
	rtcMonth        = 0x08
	rtcYear         = 0x09
	rtcA            = 0x0a
	rtcB            = 0x0b
	rtcC            = 0x0c
	rtcCentury      = 0x32

	rtcAUpdating  = 1 << 7
	rtcBAlarm     = 1 << 5 // interrupt at the alarm
	rtcBBinary    = 1 << 2
	rtcB24        = 1 << 1
	rtcAnyTime    = 0xc0 // of an alarm register
	rtcAfternoon  = 1 << 7
	rtcDecimalOne = 0x10
)

// rtcRegisters are the registers of a date, and register B, as they are read.
type rtcRegisters struct {
	second, minute, hour, day, month, year, century, b uint8
}

// date decodes the registers. Firmware may have set the clock to binary numbers
// or to hours from 1 to 12.
func (r rtcRegisters) date() (time.Time, bool) {
	n := func(v uint8) int { return rtcNumber(v, r.b) }
	hour := n(r.hour &^ rtcAfternoon)
	if r.b&rtcB24 == 0 {
		if hour %= 12; r.hour&rtcAfternoon != 0 {
			hour += 12
		}
	}
	year := n(r.century)*100 + n(r.year)
	t := time.Date(year, time.Month(n(r.month)), n(r.day), hour, n(r.minute), n(r.second), 0, time.UTC)
	// A date that time.Date had to put right is none.
	ok := t.Month() == time.Month(n(r.month)) && t.Second() == n(r.second) && t.Minute() == n(r.minute) && t.Hour() == hour && t.Day() == n(r.day)
	return t, ok && t.Year() >= 1970 && t.Year() < 2262
}

// rtcNumber decodes a register.
//
//go:nosplit
func rtcNumber(v, b uint8) int {
	if b&rtcBBinary != 0 {
		return int(v)
	}
	return int(v/rtcDecimalOne)*10 + int(v%rtcDecimalOne)
}

// rtcEncode is the reverse of rtcNumber.
//
//go:nosplit
func rtcEncode(n int, b uint8) uint8 {
	if b&rtcBBinary != 0 {
		return uint8(n)
	}
	return uint8(n/10*rtcDecimalOne + n%10)
}

const (
	second = 1_000_000_000  // ns
	minute = 60_000_000_000 // ns
)

// phase is what is known of the difference between a clock that shows the seconds
// of a minute and the monotonic clock: it lies in [low, high), in nanoseconds.
// Each reading narrows it. Zero is unknown.
type phase struct{ low, high int64 }

// observe takes a reading of the seconds at the time now. It returns false, and
// begins anew, if the two clocks have not kept the same time.
//
//go:nosplit
func (p *phase) observe(seconds int, now int64) bool {
	low := int64(seconds)*second - now
	known := p.high != p.low
	if known {
		// The nearest minute.
		middle := p.low + (p.high-p.low)/2
		turns := (middle - low - second/2 + minute/2) / minute
		if middle-low-second/2+minute/2 < 0 {
			turns--
		}
		low += turns * minute
	}
	next := phase{low, low + second}
	if known {
		next = phase{max(low, p.low), min(low+second, p.high)}
	}
	if next.low >= next.high {
		*p = phase{low, low + second}
		return false
	}
	*p = next
	return true
}
