package virtio

import "time"

// SetWatch lets most requests watch at a time, and each for d.
func (q *Queue) SetWatch(most int, d time.Duration) {
	q.mu.Lock()
	q.most, q.spin = most, d
	q.mu.Unlock()
}

// Watchers counts requests that watch and those that are parked.
func (q *Queue) Watchers() (watching, parked int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.watching, len(q.parked)
}

// SetOthers has others tell whether other goroutines can run, and late whether a look has come late just now.
func (q *Queue) SetOthers(others, late bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.others = func() bool { return others }
	if q.late = (time.Time{}); late {
		q.late = time.Now()
	}
}
