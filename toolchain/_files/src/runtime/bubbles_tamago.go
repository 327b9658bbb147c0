//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// bubbles tells that there has been a bubble of testing/synctest.
//
//go:linkname bubbles
var bubbles bool

// swapBubble puts the running goroutine into b, and returns the bubble that it was
// in; nil: none. One that is put outside counts as running in its own: nothing that
// it does or waits for then is the bubble's.
//
//go:linkname swapBubble syscall.swapBubble
func swapBubble(b *synctestBubble) *synctestBubble {
	gp := getg()
	b, gp.bubble = gp.bubble, b
	return b
}
