package netstack

// growStack has the goroutine's stack grow, once, to what the stack of protocols takes below
// a call. A goroutine begins with 2 KiB; without this it doubles that again and again on the
// way down, and each time every frame is copied, which for a new connection's goroutine costs
// more than its segments do. The way down is the deepest where a segment to the loopback is
// taken in by who sends it.
//
// Who only waits keeps a small stack: there may be ten thousand such connections.
func growStack()
