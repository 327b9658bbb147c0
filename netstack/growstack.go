package netstack

// growStack has the goroutine's stack grow, once, to what the stack of protocols takes below
// a call. A goroutine begins with 2 KiB; without this it doubles that again and again on the
// way down, and each time every frame is copied, which for a new connection's goroutine costs
// more than its segments do.
//
// Who only waits keeps a small stack: there may be ten thousand such connections.
func growStack()

// growStackLoop is growStack for who sends to this host itself. The way down is the
// deepest there, as it leads up again: the sender takes the segment in as well.
func growStackLoop()

// growStack is for the calls on k.
func (k *sock) growStack() {
	if k.loops.Load() {
		growStackLoop()
	} else {
		growStack()
	}
}

// noteLoop finds out whether both ends of a connection are this host's.
func (k *sock) noteLoop() {
	own, err := k.ep.GetLocalAddress()
	far, none := k.ep.GetRemoteAddress()
	k.loops.Store(err == nil && none == nil && far.Addr == own.Addr)
}
