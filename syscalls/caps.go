package syscalls

import "syscall"

// Capabilities are the sets that capset(2) knows, a bit for each capability.
type Capabilities struct{ Effective, Permitted, Inheritable uint64 }

// capLast is the number of the last capability of Linux 6.1 (capability.h).
const capLast = 40

// capabilities are those that root has: all but for what is not there to be
// allowed. They are, in order, SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_PACCT,
// SYS_TIME, SYS_TTY_CONFIG, AUDIT_CONTROL, MAC_OVERRIDE, MAC_ADMIN, SYSLOG,
// WAKE_ALARM, BLOCK_SUSPEND, AUDIT_READ, PERFMON, BPF and CHECKPOINT_RESTORE.
const capabilities = (1<<(capLast+1) - 1) &^ (1<<16 | 1<<17 | 1<<19 | 1<<20 | 1<<25 | 1<<26 | 1<<30 | 1<<32 | 1<<33 | 1<<34 |
	1<<35 | 1<<36 | 1<<37 | 1<<38 | 1<<39 | 1<<40)

// Capabilities that calls ask for.
const (
	capDacReadSearch = 2
	capSetgid        = 6
	capSetuid        = 7
	capSetpcap       = 8
	capSysAdmin      = 21
	capSysBoot       = 22
	capSysNice       = 23
	capSysResource   = 24
)

// capFiles are those that come and go with user 0 for files: CHOWN, DAC_OVERRIDE,
// DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD and MAC_OVERRIDE.
const capFiles = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<9 | 1<<27 | 1<<32

// can reports whether the process has a capability.
func (p *process) can(capability int) bool { return p.caps.Effective>>capability&1 != 0 }

// can is process.can under the lock.
func (k *Kernel) can(capability int) (can bool) {
	k.ids(func(p *process) syscall.Errno { can = p.can(capability); return 0 })
	return can
}

// Capget returns the capabilities of a process.
func (k *Kernel) Capget(of int) (c Capabilities, e syscall.Errno) {
	switch {
	case of < 0:
		return c, syscall.EINVAL
	case of != 0 && of != pid:
		return c, syscall.ESRCH
	}
	e = k.ids(func(p *process) syscall.Errno { c = p.caps; return 0 })
	return c, e
}

// Privileges returns what the process may do, and may come to.
func (k *Kernel) Privileges() (c Capabilities, bounding uint64, noNewPrivs bool) {
	k.ids(func(p *process) syscall.Errno {
		c, bounding, noNewPrivs = p.caps, p.bounding, p.prctl[PR_SET_NO_NEW_PRIVS] != 0
		return 0
	})
	return c, bounding, noNewPrivs
}

// Capset sets them. None can be had that is not permitted, or is beyond the
// bounding set.
func (k *Kernel) Capset(of int, c Capabilities) syscall.Errno {
	if of != 0 && of != pid {
		return syscall.EPERM
	}
	return k.ids(func(p *process) syscall.Errno {
		old := p.caps
		if c.Permitted&^old.Permitted != 0 || c.Effective&^c.Permitted != 0 ||
			c.Inheritable&^(old.Inheritable|old.Permitted) != 0 || c.Inheritable&^(old.Inheritable|p.bounding) != 0 {
			return syscall.EPERM
		}
		p.caps = c
		return 0
	})
}
