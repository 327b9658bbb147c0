package syscalls

// The tests make any calls.
func init() { AllCalls() }
