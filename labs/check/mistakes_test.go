package main

import "testing"

// TestScanMistakes: what ends a program of lab 2 is told of as what it is. Its stack is smaller than that of a test.
func TestScanMistakes(t *testing.T) {
	mutate(t, 2, []mistake{
		{"scan.go", "; behind > bus {", "; true {", []string{"150,000 words", "TODO 4: the bus behind a bridge"}},
	})
}

// TestRingMistakes: what spins in lab 3 without a word to the scheduler is in time, and is judged by what it does.
func TestRingMistakes(t *testing.T) {
	mutate(t, 3, []mistake{
		{"ring.go", " {\n\t\truntime.Gosched()\n\t}\n\twrote := ringlab.Load(d.used, int(4+8*(index%size)+4))\n\tif wrote > uint32(n) {",
			" {\n\t}\n\t_ = runtime.Gosched\n\twrote := ringlab.Load(d.used, int(4+8*(index%size)+4))\n\tif wrote > 1<<30 {",
			[]string{"66000 requests", "ask panicked"}},
	})
}
