//go:build tamago

package unix

import "syscall"

// Limits and usage.
const (
	RLIMIT_AS       = syscall.RLIMIT_AS
	RLIMIT_CORE     = syscall.RLIMIT_CORE
	RLIMIT_CPU      = syscall.RLIMIT_CPU
	RLIMIT_DATA     = syscall.RLIMIT_DATA
	RLIMIT_FSIZE    = syscall.RLIMIT_FSIZE
	RLIMIT_NOFILE   = syscall.RLIMIT_NOFILE
	RLIMIT_STACK    = syscall.RLIMIT_STACK
	RUSAGE_CHILDREN = syscall.RUSAGE_CHILDREN
	RUSAGE_SELF     = syscall.RUSAGE_SELF
	RUSAGE_THREAD   = syscall.RUSAGE_THREAD

	RLIMIT_RSS     = 0x5
	RLIMIT_NPROC   = 0x6
	RLIMIT_MEMLOCK = 0x8
	RLIM_INFINITY  = 0xffffffffffffffff
)

// What Getpriority asks for.
const (
	PRIO_PROCESS = 0x0
	PRIO_PGRP    = 0x1
	PRIO_USER    = 0x2
)

// What Wait4 takes.
const (
	WCONTINUED = syscall.WCONTINUED
	WNOHANG    = syscall.WNOHANG
	WUNTRACED  = syscall.WUNTRACED
)

// Clocks.
const (
	CLOCK_REALTIME           = 0x0
	CLOCK_MONOTONIC          = 0x1
	CLOCK_PROCESS_CPUTIME_ID = 0x2
	CLOCK_THREAD_CPUTIME_ID  = 0x3
	CLOCK_MONOTONIC_RAW      = 0x4
	CLOCK_REALTIME_COARSE    = 0x5
	CLOCK_MONOTONIC_COARSE   = 0x6
	CLOCK_BOOTTIME           = 0x7
)

// What Getrandom takes.
const (
	GRND_NONBLOCK = 0x1
	GRND_RANDOM   = 0x2
	GRND_INSECURE = 0x4
)
