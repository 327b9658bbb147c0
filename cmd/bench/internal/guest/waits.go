package guest

import (
	"fmt"
	"strconv"
	"strings"
)

// Waiting is what a guest has counted, since its start, of its waiting for devices.
type Waiting struct {
	Nanoseconds   int64 // in which it did nothing else
	Notifications int64 // to virtio devices; 0: they are not counted
}

// counted adds up what text has of a counter.
func counted(text, counter string) (sum int64, err error) {
	n := 0
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(line, "."+counter)
		if !ok {
			continue
		}
		f := strings.Fields(strings.TrimLeft(rest, " :"))
		if len(f) == 0 {
			return 0, fmt.Errorf("%q has no value", line)
		}
		v, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += v
		n++
	}
	if n == 0 {
		return 0, fmt.Errorf("nothing counts %s", counter)
	}
	return sum, nil
}

// linuxWaiting reads Linux's /proc/timer_list, with lines such as
// "  .idle_sleeptime : 81230 nsecs", one for each processor: for how long it had nothing
// to do.
func linuxWaiting(text string) (w Waiting, err error) {
	w.Nanoseconds, err = counted(text, "idle_sleeptime")
	return w, err
}

// yolkWaiting reads /proc/yolk/virtio, with lines such as "  request 0.watched 81230":
// for how long somebody looked at a queue in vain. That its processors had nothing to do
// is not there.
func yolkWaiting(text string) (w Waiting, err error) {
	if w.Nanoseconds, err = counted(text, "watched"); err == nil {
		w.Notifications, err = counted(text, "notifications")
	}
	return w, err
}
