//go:build tamago

package kernel

import (
	"fmt"
	"time"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/kernel/clock"
)

// The wall clock is the launcher's, asked by a port of the console, or without one
// the real-time clock's. The alarm of the latter is when to compare: it comes by
// the host's clock, so at once if the machine was stopped for longer.

const (
	timePort = "yolk.time"
	// How long the boot waits for the launcher's answer, which takes less than a
	// millisecond unless the host is busy; and how long afterwards.
	bootAnswer  = 250 * time.Millisecond
	laterAnswer = 2 * time.Second
)

// firstSleep is a sleep of the boot's: an emulated CPU takes a millisecond to
// translate what it has never run before, by which the program's first timer would
// be late.
const firstSleep = 100 * time.Microsecond

// setWall sets the wall clock before the devices are there: from the launcher's
// clock as the machine was started, else from the real-time clock.
func (m *machine) setWall() {
	amd64.RefineClock()
	text, _ := amd64.FwCfg(amd64.TimeFile)
	if started := parseTime(string(text)); !started.IsZero() {
		amd64.SetWall(started.Add(time.Duration(amd64.RawTime())))
		return
	}
	if t, ok := amd64.RTC(); ok {
		amd64.SetWall(t)
		return
	}
	if t, ok := amd64.HypervisorTime(); ok {
		amd64.SetWall(t)
		return
	}
	m.logf("clock: the machine has no real-time clock: the time of day is unknown")
}

// timekeeper keeps the wall clock.
type timekeeper struct {
	m          *machine
	discipline clock.Discipline
	sample     func(limit time.Duration) (clock.Sample, error)
	alarm      *amd64.Alarm // nil: there is none, or a device has its interrupt line
}

// keepTime sets the wall clock and keeps it from then on.
func (m *machine) keepTime() {
	amd64.RefineClock()
	k := &timekeeper{m: m}
	_, hasRTC := amd64.RTC()
	if hasRTC {
		k.alarm, _ = amd64.OpenAlarm() // a timer does as well
	}
	if port, ok := m.streams.find(timePort); ok {
		k.sample = clock.NewLauncher(port, clockReading).Sample
		m.fail(k.round(bootAnswer))
	} else if hasRTC {
		rtc := clock.RTC{Second: amd64.RTCSecond, Date: amd64.RTC, Now: clockReading, Sleep: time.Sleep}
		k.sample = func(time.Duration) (clock.Sample, error) { return rtc.Sample() }
	} else {
		return
	}
	if amd64.Emulated() {
		time.Sleep(firstSleep)
	}
	go k.run()
}

// run compares the clocks for good. What goes wrong is logged once, until it goes
// well again.
func (k *timekeeper) run() {
	last := ""
	for {
		err := k.round(laterAnswer)
		if err == nil {
			last = ""
		} else if err.Error() != last {
			last = err.Error()
			k.m.fail(err)
		}
		if k.alarm != nil {
			k.alarm.Wait(int(clock.Interval / time.Second))
		} else {
			time.Sleep(clock.Interval)
		}
	}
}

// round compares the clocks once.
func (k *timekeeper) round(limit time.Duration) error {
	// A correction is over when the next sample is due, whether it comes or not.
	amd64.SetClockRate(k.discipline.Rate())
	s, err := k.sample(limit)
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	c := k.discipline.Take(s)
	amd64.SetClockRate(c.Rate)
	if c.Step != 0 {
		amd64.StepWall(time.Duration(c.Step))
		k.m.calls.RealtimeWasSet()
	}
	if jump := time.Duration(c.Jump); jump.Abs() >= time.Second {
		k.m.logf("clock: the host's clock went on by %v without this machine's; set to it", jump.Round(time.Millisecond))
		select {
		case k.m.resumed <- struct{}{}:
		default:
		}
	}
	return nil
}

// clockReading reads the machine's clocks.
func clockReading() clock.Reading {
	return clock.Reading{Raw: amd64.RawTime(), Wall: time.Now().UnixNano()}
}
