package usernet

import "sync/atomic"

// Buffers of the stack for one connection and direction, in bytes. A connection
// gets its part of bufferBudget, by how many there are as it is made: what peers
// that do not read can fill grows with the logarithm of their number.
const (
	bufferBudget = 64 << 20
	minBuffer    = 16 << 10
	maxBuffer    = 1 << 20
)

// budget counts connections.
type budget struct{ conns atomic.Int64 }

func newBudget() *budget { return &budget{} }

// enter counts a connection and returns the size of its buffers.
func (b *budget) enter() int64 {
	return min(max(bufferBudget/b.conns.Add(1), minBuffer), maxBuffer)
}

func (b *budget) leave() { b.conns.Add(-1) }
