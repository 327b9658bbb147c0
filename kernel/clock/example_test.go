package clock_test

import (
	"fmt"
	"time"

	"github.com/yolkos/yolk/kernel/clock"
)

// A real-time clock shows seconds; when the next one begins can be seen.
func ExampleRTC() {
	t := time.Date(2026, 11, 27, 12, 0, 0, 999e6, time.UTC)
	rtc := clock.RTC{
		Second: t.Second,
		Date:   func() (time.Time, bool) { return t.Truncate(time.Second), true },
		Now:    func() clock.Reading { t = t.Add(time.Microsecond); return clock.Reading{Raw: t.UnixNano()} },
		Sleep:  func(d time.Duration) { t = t.Add(d) },
	}
	rtc.Second = func() int { return t.Second() }
	s, err := rtc.Sample()
	fmt.Println(time.Unix(0, s.Wall).UTC().Format(time.TimeOnly), err)
	// Output: 12:00:01 <nil>
}
