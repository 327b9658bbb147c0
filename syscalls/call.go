package syscalls

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// Call is Linux's system call number num on amd64. Every number and all words
// are answered: see args for what addresses can lead to. A call that is not
// there is ENOSYS, and counted.
//
// Words that hold addresses must lead to memory that stays where it is until Call
// returns. Package syscall has the stack of the caller stay, if one leads there.
func (k *Kernel) Call(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno) {
	if num < uintptr(len(calls)) && calls[num].do != nil {
		return calls[num].do(k, args{a1, a2, a3, a4, a5, a6})
	}
	k.missed.count(num)
	return 0, syscall.ENOSYS
}

// call does one system call.
type call func(k *Kernel, a args) (uintptr, syscall.Errno)

// entry is a line of the table of system calls.
type entry struct {
	name string // as Linux has it
	do   call   // nil: ENOSYS
	part string // what of it is not there
}

// calls is the table, by number.
var calls [472]entry

// numbered is an entry with its number.
type numbered struct {
	num  uint16
	name string
	do   call
	part string
}

func enter(table []numbered) {
	for _, n := range table {
		calls[n.num] = entry{n.name, n.do, n.part}
	}
}

// missed counts the calls that programs made and that are not there.
type missed struct {
	mu    sync.Mutex
	calls map[miss]int
}

type miss struct {
	num    uintptr
	caller string // the function that wanted it
}

// maxMissed bounds how many different ones are kept.
const maxMissed = 1000

func (m *missed) count(num uintptr) {
	of := miss{num, caller()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[miss]int{}
	}
	if m.calls[of] > 0 || len(m.calls) < maxMissed {
		m.calls[of]++
	}
}

// caller is the innermost function of the program that is not one of those
// which only pass system calls on.
func caller() string {
	var pcs [16]uintptr
	n := servedCallers(pcs[:])
	if n == 0 {
		n = runtime.Callers(3, pcs[:])
	}
	frames := runtime.CallersFrames(pcs[:n])
	name := "?"
	for {
		f, more := frames.Next()
		if f.Function != "" {
			name = f.Function
			if !passesOn(name) {
				return name
			}
		}
		if !more {
			return name
		}
	}
}

func passesOn(function string) bool {
	for _, pkg := range []string{"syscall.", "internal/", "golang.org/x/sys/unix.", "runtime."} {
		if strings.HasPrefix(function, pkg) {
			return true
		}
	}
	return strings.HasSuffix(function, ".(*Kernel).Call")
}

// Missed lists the calls that are not there and that the program made all the
// same: for each a line with how often, its name or number, and by which
// function.
func (k *Kernel) Missed() string {
	m := &k.missed
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []miss
	for of := range m.calls {
		all = append(all, of)
	}
	// Not slices.SortFunc: each type that it sorts takes 8 KB of every image.
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return a.num < b.num || a.num == b.num && a.caller < b.caller
	})
	var out strings.Builder
	for _, of := range all {
		name := "-"
		if of.num < uintptr(len(calls)) && calls[of.num].name != "" {
			name = calls[of.num].name
		}
		fmt.Fprintf(&out, "%d %d %s %s\n", m.calls[of], of.num, name, of.caller)
	}
	return out.String()
}

// State tells what there is of the system call num: ok is false if there is none
// of that number in Linux's table; part is what is missing of it, or how it is
// always answered.
func State(num int) (name string, there bool, part string, ok bool) {
	if num < 0 || num >= len(calls) || calls[num].name == "" {
		return "", false, "", false
	}
	c := calls[num]
	return c.name, c.do != nil, c.part, true
}

// Numbers is one more than the highest number of a system call.
const Numbers = len(calls)
