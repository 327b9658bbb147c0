//go:build tamago

package os

var PollCopyFileRangeP = &pollCopyFileRange
