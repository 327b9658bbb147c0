package syscalls

import "syscall"

// Whose priority it is (resource.h).
const (
	PRIO_PROCESS = 0
	PRIO_PGRP    = 1
	PRIO_USER    = 2
)

// prioritized says whether a priority is that of the process, as it is if it is that of
// its group or user.
func (p *process) prioritized(which, who int) syscall.Errno {
	own := pid
	switch {
	case which < PRIO_PROCESS || which > PRIO_USER:
		return syscall.EINVAL
	case which == PRIO_USER:
		own = int(p.uid.real)
	}
	if who != 0 && who != own {
		return syscall.ESRCH
	}
	return 0
}

// Getpriority returns the nice value; the call by number returns 20 less it.
func (k *Kernel) Getpriority(which, who int) (nice int, e syscall.Errno) {
	e = k.ids(func(p *process) syscall.Errno { nice = p.nice; return p.prioritized(which, who) })
	return nice, e
}

// Setpriority keeps a nice value. There is nobody to be nice to.
func (k *Kernel) Setpriority(which, who, nice int) syscall.Errno {
	nice = min(max(nice, -20), 19)
	return k.ids(func(p *process) syscall.Errno {
		if e := p.prioritized(which, who); e != 0 {
			return e
		}
		if nice < p.nice && !p.can(capSysNice) {
			return syscall.EACCES
		}
		p.nice = nice
		return 0
	})
}

// Priorities of input and output (linux/ioprio.h): a class, of three bits, and data, of
// which the lowest three bits are the level. Whose they are is PRIO_PROCESS and so on, and 1 more.
const (
	ioprioShift = 13
	ioprioLevel = 1<<3 - 1

	IOPRIO_CLASS_NONE = 0 // as the nice value has it
	IOPRIO_CLASS_RT   = 1
	IOPRIO_CLASS_BE   = 2
	IOPRIO_CLASS_IDLE = 3
)

// IoprioGet returns the priority of input and output: of the process what was set, of
// its group or user the one that is in force.
func (k *Kernel) IoprioGet(which, who int) (priority int, e syscall.Errno) {
	e = k.ids(func(p *process) syscall.Errno {
		priority = int(p.ioprio)
		if which != 1+PRIO_PROCESS && priority>>ioprioShift == IOPRIO_CLASS_NONE {
			priority = IOPRIO_CLASS_BE<<ioprioShift | (p.nice+20)/5
		}
		return p.prioritized(which-1, who)
	})
	return priority, e
}

// IoprioSet keeps a priority, of which 16 bits count. Nobody else reads or writes.
func (k *Kernel) IoprioSet(which, who, priority int) syscall.Errno {
	class := priority >> ioprioShift & 7
	return k.ids(func(p *process) syscall.Errno {
		switch {
		case class > IOPRIO_CLASS_IDLE || class == IOPRIO_CLASS_NONE && priority&ioprioLevel != 0:
			return syscall.EINVAL
		case class == IOPRIO_CLASS_RT && !p.can(capSysNice) && !p.can(capSysAdmin):
			return syscall.EPERM
		}
		e := p.prioritized(which-1, who)
		if e == 0 {
			p.ioprio = uint16(priority)
		}
		return e
	})
}

// cpuSet is the CPUs of the machine, a bit for each.
func (k *Kernel) cpuSet() uint64 { return 1<<k.Machine.CPUs() - 1 }

// SchedGetaffinity returns the CPUs that the process may run on.
func (k *Kernel) SchedGetaffinity(of int) (set uint64, e syscall.Errno) {
	if of != 0 && of != pid {
		return 0, syscall.ESRCH
	}
	k.ids(func(p *process) syscall.Errno { set = p.affinity; return 0 })
	if set == 0 {
		set = k.cpuSet()
	}
	return set, 0
}

// SchedSetaffinity keeps a set of CPUs. The Go runtime, whose threads run on any,
// takes no notice of it.
func (k *Kernel) SchedSetaffinity(of int, set uint64) syscall.Errno {
	if of != 0 && of != pid {
		return syscall.ESRCH
	}
	if set &= k.cpuSet(); set == 0 {
		return syscall.EINVAL
	}
	return k.ids(func(p *process) syscall.Errno { p.affinity = set; return 0 })
}

// Policies of scheduling (sched.h).
const (
	SCHED_OTHER    = 0
	SCHED_FIFO     = 1
	SCHED_RR       = 2
	SCHED_BATCH    = 3
	SCHED_IDLE     = 5
	SCHED_DEADLINE = 6
)

// SchedSetscheduler refuses what is for processes that others would have to wait
// for.
func (k *Kernel) SchedSetscheduler(of, policy, priority int) syscall.Errno {
	switch {
	case of < 0:
		return syscall.EINVAL
	case of != 0 && of != pid:
		return syscall.ESRCH
	}
	switch policy {
	case SCHED_OTHER, SCHED_BATCH, SCHED_IDLE:
		if priority != 0 {
			return syscall.EINVAL
		}
		return 0
	case SCHED_FIFO, SCHED_RR:
		if priority < 1 || priority > maxRealtime {
			return syscall.EINVAL
		}
		return syscall.EPERM
	}
	return syscall.EINVAL
}

// maxRealtime is the highest priority of SCHED_FIFO and SCHED_RR.
const maxRealtime = 99

// SchedPriorities returns the lowest and highest priority of a policy.
func (k *Kernel) SchedPriorities(policy int) (least, most int, e syscall.Errno) {
	switch policy {
	case SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE:
		return 0, 0, 0
	case SCHED_FIFO, SCHED_RR:
		return 1, maxRealtime, 0
	}
	return 0, 0, syscall.EINVAL
}
