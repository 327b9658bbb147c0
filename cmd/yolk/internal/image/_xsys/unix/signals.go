//go:build tamago

package unix

import "syscall"

const (
	SIGABRT   = syscall.SIGABRT
	SIGALRM   = syscall.SIGALRM
	SIGBUS    = syscall.SIGBUS
	SIGCHLD   = syscall.SIGCHLD
	SIGCLD    = syscall.SIGCLD
	SIGCONT   = syscall.SIGCONT
	SIGFPE    = syscall.SIGFPE
	SIGHUP    = syscall.SIGHUP
	SIGILL    = syscall.SIGILL
	SIGINT    = syscall.SIGINT
	SIGIO     = syscall.SIGIO
	SIGIOT    = syscall.SIGIOT
	SIGKILL   = syscall.SIGKILL
	SIGPIPE   = syscall.SIGPIPE
	SIGPOLL   = syscall.SIGPOLL
	SIGPROF   = syscall.SIGPROF
	SIGPWR    = syscall.SIGPWR
	SIGQUIT   = syscall.SIGQUIT
	SIGSEGV   = syscall.SIGSEGV
	SIGSTKFLT = syscall.SIGSTKFLT
	SIGSTOP   = syscall.SIGSTOP
	SIGSYS    = syscall.SIGSYS
	SIGTERM   = syscall.SIGTERM
	SIGTRAP   = syscall.SIGTRAP
	SIGTSTP   = syscall.SIGTSTP
	SIGTTIN   = syscall.SIGTTIN
	SIGTTOU   = syscall.SIGTTOU
	SIGURG    = syscall.SIGURG
	SIGUSR1   = syscall.SIGUSR1
	SIGUSR2   = syscall.SIGUSR2
	SIGVTALRM = syscall.SIGVTALRM
	SIGWINCH  = syscall.SIGWINCH
	SIGXCPU   = syscall.SIGXCPU
	SIGXFSZ   = syscall.SIGXFSZ
)
