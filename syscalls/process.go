package syscalls

import (
	"path"
	"slices"
	"sync"
	"syscall"
)

// process is what the one process has set about itself. What it can be asked for
// is told as it was set; that it has no further effect is said where it is set.
type process struct {
	mu sync.Mutex

	node, domain string // "": the default
	name         string // of PR_SET_NAME; "": the program's
	uid, gid     identity
	groups       []uint32
	caps         Capabilities
	bounding     uint64 // capabilities that may still be had
	limits       [nlimits]syscall.Rlimit
	affinity     uint64 // a bit for each CPU; 0: all
	nice         int
	ioprio       uint16 // 0: as nice has it
	personality  uint32
	prctl        map[int]uintptr // what other options of Prctl keep
}

func (p *process) init() {
	p.groups = []uint32{0}
	p.bounding = capabilities
	p.caps = Capabilities{Effective: capabilities, Permitted: capabilities}
	for i := range p.limits {
		p.limits[i] = syscall.Rlimit{Cur: rlimInfinity, Max: rlimInfinity}
	}
	p.limits[syscall.RLIMIT_NOFILE] = syscall.Rlimit{Cur: maxFiles, Max: maxFiles}
	p.limits[syscall.RLIMIT_STACK].Cur = 8 << 20
	p.limits[rlimitSigpending] = syscall.Rlimit{Cur: sigQueued, Max: sigQueued}
	p.prctl = map[int]uintptr{PR_SET_DUMPABLE: 1, PR_SET_TIMERSLACK: defaultSlack}
}

// identity is the ids of one kind, user or group: real, effective, saved, and
// that for files.
type identity struct{ real, effective, saved, fs uint32 }

// same is an id that leaves what is there, -1.
const same = ^uint32(0)

// ids does f with the ids under the lock. Files go on belonging to root, whatever
// the ids are: a program that gives up root's rights need not fear itself, and
// nobody else is there.
func (k *Kernel) ids(f func(p *process) syscall.Errno) syscall.Errno {
	k.process.mu.Lock()
	defer k.process.mu.Unlock()
	return f(&k.process)
}

// has reports whether id leaves what is there or is one of some.
func has(id uint32, ids ...uint32) bool { return id == same || slices.Contains(ids, id) }

// mayHave reports whether one without privilege may have the ids: in exchange for
// each other.
func (i identity) mayHave(ids ...uint32) bool {
	for _, id := range ids {
		if !has(id, i.real, i.effective, i.saved) {
			return false
		}
	}
	return true
}

// mayHave2 is mayHave for setreuid and setregid, and mayHave1 for setuid and setgid.
func (i identity) mayHave2(real, effective uint32) bool {
	return has(real, i.real, i.effective) && i.mayHave(effective)
}

func (i identity) mayHave1(id uint32) bool { return has(id, i.real, i.saved) }

// set changes ids if that is allowed.
func (i *identity) set(real, effective, saved uint32, allowed bool) syscall.Errno {
	if !allowed {
		return syscall.EPERM
	}
	for _, c := range []struct {
		to *uint32
		id uint32
	}{{&i.real, real}, {&i.effective, effective}, {&i.saved, saved}} {
		if c.id != same {
			*c.to = c.id
		}
	}
	i.fs = i.effective
	return 0
}

// setUID is set for users. Capabilities come and go with user 0 (capabilities(7),
// "Effect of user ID changes on capabilities").
func (p *process) setUID(real, effective, saved uint32, allowed bool) syscall.Errno {
	old := p.uid
	if e := p.uid.set(real, effective, saved, allowed); e != 0 {
		return e
	}
	now := p.uid
	if old.hasRoot() && !now.hasRoot() && p.prctl[PR_SET_KEEPCAPS] == 0 {
		p.caps.Permitted, p.caps.Effective = 0, 0
	}
	switch {
	case old.effective == 0 && now.effective != 0:
		p.caps.Effective = 0
	case old.effective != 0 && now.effective == 0:
		p.caps.Effective = p.caps.Permitted
	}
	return 0
}

func (i *identity) hasRoot() bool { return i.real == 0 || i.effective == 0 || i.saved == 0 }

// Getresuid and Getresgid return the real, effective and saved ids.
func (k *Kernel) Getresuid() (real, effective, saved uint32) {
	k.ids(func(p *process) syscall.Errno {
		real, effective, saved = p.uid.real, p.uid.effective, p.uid.saved
		return 0
	})
	return real, effective, saved
}

func (k *Kernel) Getresgid() (real, effective, saved uint32) {
	k.ids(func(p *process) syscall.Errno {
		real, effective, saved = p.gid.real, p.gid.effective, p.gid.saved
		return 0
	})
	return real, effective, saved
}

// Setresuid and Setresgid set them; -1 leaves one.
func (k *Kernel) Setresuid(real, effective, saved uint32) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		return p.setUID(real, effective, saved, p.can(capSetuid) || p.uid.mayHave(real, effective, saved))
	})
}

func (k *Kernel) Setresgid(real, effective, saved uint32) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		return p.gid.set(real, effective, saved, p.can(capSetgid) || p.gid.mayHave(real, effective, saved))
	})
}

// Setreuid and Setregid set the saved id as well where the real one changes, or
// the effective one to another than the real one was.
func (k *Kernel) Setreuid(real, effective uint32) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		return p.setUID(real, effective, p.uid.savedFor(real, effective), p.can(capSetuid) || p.uid.mayHave2(real, effective))
	})
}

func (k *Kernel) Setregid(real, effective uint32) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		return p.gid.set(real, effective, p.gid.savedFor(real, effective), p.can(capSetgid) || p.gid.mayHave2(real, effective))
	})
}

func (i *identity) savedFor(real, effective uint32) uint32 {
	switch {
	case effective == same && real != same:
		return i.effective
	case real != same || effective != same && effective != i.real:
		return effective
	}
	return same
}

// Setuid and Setgid set all three with privilege, else the effective id.
func (k *Kernel) Setuid(id uint32) syscall.Errno {
	if id == same {
		return syscall.EINVAL
	}
	return k.ids(func(p *process) syscall.Errno {
		if p.can(capSetuid) {
			return p.setUID(id, id, id, true)
		}
		return p.setUID(same, id, same, p.uid.mayHave1(id))
	})
}

func (k *Kernel) Setgid(id uint32) syscall.Errno {
	if id == same {
		return syscall.EINVAL
	}
	return k.ids(func(p *process) syscall.Errno {
		if p.can(capSetgid) {
			return p.gid.set(id, id, id, true)
		}
		return p.gid.set(same, id, same, p.gid.mayHave1(id))
	})
}

// Setfsuid and Setfsgid return what the id was, and report no error.
func (k *Kernel) Setfsuid(id uint32) (old uint32) {
	k.ids(func(p *process) syscall.Errno {
		old = p.uid.setFS(id, p.can(capSetuid))
		switch {
		case old == 0 && p.uid.fs != 0:
			p.caps.Effective &^= capFiles
		case old != 0 && p.uid.fs == 0:
			p.caps.Effective |= p.caps.Permitted & capFiles
		}
		return 0
	})
	return old
}

func (k *Kernel) Setfsgid(id uint32) (old uint32) {
	k.ids(func(p *process) syscall.Errno { old = p.gid.setFS(id, p.can(capSetgid)); return 0 })
	return old
}

func (i *identity) setFS(id uint32, privileged bool) (old uint32) {
	old = i.fs
	if id != same && (privileged || has(id, i.real, i.effective, i.saved, i.fs)) {
		i.fs = id
	}
	return old
}

// maxGroups is how many supplementary groups there may be (NGROUPS_MAX).
const maxGroups = 65536

func (k *Kernel) Getgroups() (groups []uint32) {
	k.ids(func(p *process) syscall.Errno { groups = slices.Clone(p.groups); return 0 })
	return groups
}

func (k *Kernel) Setgroups(groups []uint32) syscall.Errno {
	return k.ids(func(p *process) syscall.Errno {
		switch {
		case !p.can(capSetgid):
			return syscall.EPERM
		case len(groups) > maxGroups || slices.Contains(groups, same):
			return syscall.EINVAL
		}
		p.groups = slices.Clone(groups)
		return 0
	})
}

// Resources of Prlimit that package syscall does not name (asm-generic/resource.h).
const (
	rlimitSigpending = 11
	nlimits          = 16
	rlimInfinity     = ^uint64(0)
)

// limitOf is the soft limit on a resource.
func (k *Kernel) limitOf(resource int) (n uint64) {
	k.ids(func(p *process) syscall.Errno { n = p.limits[resource].Cur; return 0 })
	return n
}

// Prlimit tells a limit, and sets it with new. Those of open files, of the sizes of
// files and of the addresses of mappings hold; that of waiting signals is fixed, as is
// the end of open files. The others are kept for who asks: there is nothing here that
// they would bound, or Linux does not enforce them either, but for RLIMIT_CPU and
// RLIMIT_DATA.
func (k *Kernel) Prlimit(resource int, new *syscall.Rlimit) (old syscall.Rlimit, e syscall.Errno) {
	if resource < 0 || resource >= nlimits {
		return old, syscall.EINVAL
	}
	e = k.ids(func(p *process) syscall.Errno {
		limit := &p.limits[resource]
		old = *limit
		switch {
		case new == nil:
			return 0
		case new.Cur > new.Max:
			return syscall.EINVAL
		case new.Max > old.Max && !p.can(capSysResource):
			return syscall.EPERM
		case resource == syscall.RLIMIT_NOFILE && new.Max > maxFiles:
			return syscall.EPERM // above fs.nr_open
		}
		*limit = *new
		switch resource {
		case syscall.RLIMIT_NOFILE:
			k.table.limit.Store(int64(new.Cur))
		case syscall.RLIMIT_FSIZE:
			k.setSizeLimit(new.Cur)
		}
		return 0
	})
	return old, e
}

// ThreadName is what PR_SET_NAME has set, or the end of program, a path, as long as
// there is room for.
func (k *Kernel) ThreadName(program string) (name string) {
	k.ids(func(p *process) syscall.Errno { name = p.name; return 0 })
	if name == "" {
		name = path.Base(program)
	}
	return name[:min(len(name), maxThreadName)]
}

// maxThreadName is without the NUL (TASK_COMM_LEN).
const maxThreadName = 15

// Setsid and Setpgid find that the process leads its session.
func (k *Kernel) Setsid() syscall.Errno { return syscall.EPERM }

func (k *Kernel) Setpgid(of, group int) syscall.Errno {
	switch {
	case group < 0:
		return syscall.EINVAL
	case of != 0 && of != pid:
		return syscall.ESRCH
	}
	return syscall.EPERM
}

// Getpgid and Getsid know of the one process.
func (k *Kernel) Getpgid(of int) (int, syscall.Errno) {
	if of != 0 && of != pid {
		return 0, syscall.ESRCH
	}
	return pid, 0
}

func (k *Kernel) Getsid(of int) (int, syscall.Errno) { return k.Getpgid(of) }

// Personality returns the execution domain, and sets it unless want is all ones.
func (k *Kernel) Personality(want uint32) (old uint32) {
	k.ids(func(p *process) syscall.Errno {
		if old = p.personality; want != ^uint32(0) {
			p.personality = want
		}
		return 0
	})
	return old
}
