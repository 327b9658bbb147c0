package guest

// Stage is a part of a guest's boot, which ends where the next begins.
type Stage struct {
	Name string
	At   uint64 // when it began: the time-stamp counter
}
