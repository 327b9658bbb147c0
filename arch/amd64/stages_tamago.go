//go:build tamago

package amd64

// Stage is a part of the boot.
type Stage struct {
	Name string
	At   uint64 // when it began: the time-stamp counter
}

// What the boot has come to so far. It is noted in each image, at a few instructions
// each: what is measured is what runs otherwise.
var (
	stages     [32]Stage
	stageCount int
)

// BeginStage notes that a stage of the boot begins, which ends the one before. It may be called
// before there is a runtime. One too many is left out.
func BeginStage(name string) {
	if stageCount < len(stages) {
		stages[stageCount] = Stage{name, rdtsc()}
		stageCount++
	}
}

// Stages returns the stages of the boot, and the rate of the time-stamp counter in Hz.
func Stages() ([]Stage, uint64) { return stages[:stageCount], tscHz }
