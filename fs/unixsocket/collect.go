package unixsocket

import (
	"sync"

	"github.com/yolkos/yolk/fs/socket"
)

// flights are the rights to unix sockets that are in queues of such: they can keep
// one another alive for ever, when nobody else can get at them any more.
type flights struct {
	mu sync.Mutex
	of map[*sock]int // how often each is in a queue
}

// add notes that rights lie in the queue of to from now on.
func (f *flights) add(to *sock, rights []socket.Right) { f.change(rights, 1) }

// remove notes that rights have left a queue.
func (f *flights) remove(rights []socket.Right) { f.change(rights, -1) }

func (f *flights) change(rights []socket.Right, by int) {
	for _, r := range rights {
		s, ok := r.Socket().(*sock)
		if !ok {
			continue
		}
		f.mu.Lock()
		if f.of == nil {
			f.of = map[*sock]int{}
		}
		if f.of[s] += by; f.of[s] == 0 {
			delete(f.of, s)
		}
		f.mu.Unlock()
	}
}

// Collect implements socket.Collector.
func (s *sock) Collect() { s.f.collect() }

// collect ends what is in queues of sockets that only such queues lead to: those of
// which every reference is in a queue, unless a queue of another leads there. A
// socket in use by a call meanwhile is left for the next time.
func (f *Family) collect() {
	f.flying.mu.Lock()
	lost := map[*sock]int{} // sockets, and how many references lie in queues
	for s, n := range f.flying.of {
		lost[s] = n
	}
	f.flying.mu.Unlock()
	if len(lost) == 0 {
		return
	}
	f.mu.Lock()
	var all []*sock
	for s := range f.open {
		all = append(all, s)
	}
	leads := map[*sock][]*sock{}
	refs := map[*sock]int{}
	for _, s := range all {
		for _, q := range s.reach() {
			q.mu.Lock()
			for _, p := range q.packets {
				for _, r := range p.rights {
					if to, ok := r.Socket().(*sock); ok {
						leads[s] = append(leads[s], to)
						refs[to] = r.Refs()
					}
				}
			}
			q.mu.Unlock()
		}
	}
	for s, n := range lost {
		if refs[s] != n {
			delete(lost, s)
		}
	}
	// Whoever is found is in use, and what its queue has with it.
	var find func(s *sock)
	find = func(s *sock) {
		for _, to := range leads[s] {
			if _, is := lost[to]; is {
				delete(lost, to)
				find(to)
			}
		}
	}
	for _, s := range all {
		if _, is := lost[s]; !is && s.held() {
			find(s)
		}
	}
	var gone []*packet
	for s := range lost {
		for _, q := range s.reach() {
			q.mu.Lock()
			gone = append(gone, q.packets...)
			q.packets = nil
			q.roomier()
			q.mu.Unlock()
		}
	}
	f.mu.Unlock()
	f.drop(gone)
}

// reach is s and those whose queues belong to it: connections that it has not
// accepted yet.
func (s *sock) reach() []*sock {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*sock{s}, s.pending...)
}

// held tells if s is somebody's own: not one that waits to be accepted.
func (s *sock) held() bool { return s.ino.Load() != 0 }
