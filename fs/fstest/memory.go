package fstest

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"syscall"
	"testing"
)

// MemorySys is a system with anonymous memory.
type MemorySys interface {
	Mmap(addr uintptr, length, prot, flags, fd int, off int64) (uintptr, syscall.Errno)
	Munmap(addr uintptr, length int) syscall.Errno
	Mprotect(addr uintptr, length, prot int) syscall.Errno
	Mremap(addr uintptr, was, size, flags int, to uintptr) (uintptr, syscall.Errno)
	Madvise(addr uintptr, length, advice int) syscall.Errno
	Mincore(addr uintptr, length int, vec []byte) syscall.Errno
}

// memPages is how many pages of addresses a play of RandomMemory has.
const memPages = 24

const (
	protExec          = 4
	mapFixed          = 0x10
	mapAnon           = 0x20
	mapNoReserve      = 0x4000
	mapPopulate       = 0x8000
	mapFixedNoReplace = 0x100000
	madvDontNeed      = 4
	mremapMayMove     = 1
	mremapFixed       = 2
)

// memOp is an operation on pages of the play: n from page at on; for mremap they
// become m, at page to with mremapFixed.
type memOp struct {
	kind             string
	at, n, m, to     int
	prot, flags, val int
}

// memSystem is a MemorySys, which a play has memPages from base on of.
type memSystem struct {
	s    MemorySys
	base uintptr
}

func (w *memSystem) addr(page int) uintptr { return w.base + uintptr(page*mapPage) }

func (w *memSystem) do(op memOp) string {
	addr, size := w.addr(op.at), op.n*mapPage
	switch op.kind {
	case "mmap":
		at, e := w.s.Mmap(addr, size, op.prot, op.flags|mapAnon, -1, 0)
		if e != 0 {
			return result(e)
		}
		return w.away(at, addr, op.n)
	case "munmap":
		return result(w.s.Munmap(addr, size))
	case "mprotect":
		return result(w.s.Mprotect(addr, size, op.prot))
	case "mremap":
		at, e := w.s.Mremap(addr, size, op.m*mapPage, op.flags, w.addr(op.to))
		if e != 0 {
			return result(e)
		}
		want := addr
		if op.flags&mremapFixed != 0 {
			want = w.addr(op.to)
		}
		return w.away(at, want, op.m)
	case "madvise":
		return result(w.s.Madvise(addr, size, op.val))
	case "mincore":
		vec := make([]byte, op.n)
		if e := w.s.Mincore(addr, size, vec); e != 0 {
			return result(e)
		}
		for i := range vec {
			vec[i] &= 1
		}
		return fmt.Sprint(vec)
	case "load":
		return load(bytesAt(addr, mapPage))
	case "store":
		return touch(func() { bytesAt(addr, mapPage)[mapPage-1] = byte(op.val) })
	}
	panic(op.kind)
}

// away tells where n pages have come to lie, and takes them away if that is
// outside of the play.
func (w *memSystem) away(at, want uintptr, n int) string {
	if at == want {
		return result(0)
	}
	has := ""
	for i := range n {
		has += " " + load(bytesAt(at+uintptr(i*mapPage), mapPage))
	}
	return "elsewhere" + has + result(w.s.Munmap(at, n*mapPage))
}

func load(page []byte) (has string) {
	how := touch(func() { has = fmt.Sprint(page[0], page[mapPage-1]) })
	if has == "" {
		return how
	}
	return has
}

// memModel is what a system should do.
type memModel struct {
	pages [memPages]modelPage
	ids   int
}

type modelPage struct {
	id       int // of the last call on the whole mapping; 0: nothing is mapped
	prot     int
	shared   bool
	resident bool
	val      int
}

func (p modelPage) load() string {
	if p.prot == 0 {
		return "fault"
	}
	return fmt.Sprint(0, p.val)
}

func (w *memModel) do(op memOp) string {
	r := w.pages[op.at : op.at+op.n]
	full, free := true, true
	for _, p := range r {
		full, free = full && p.id != 0, free && p.id == 0
	}
	hole := result(0)
	if !full {
		hole = result(syscall.ENOMEM)
	}
	switch op.kind {
	case "mmap":
		if op.flags&mapFixedNoReplace != 0 && !free {
			return result(syscall.EEXIST)
		}
		made := modelPage{prot: op.prot, shared: op.flags&mapShared != 0, resident: op.flags&mapPopulate != 0 && op.prot != 0}
		if op.flags&(mapFixed|mapFixedNoReplace) == 0 && !free {
			out := "elsewhere"
			for range op.n {
				out += " " + made.load()
			}
			return out + result(0)
		}
		w.ids++
		made.id = w.ids
		for i := range r {
			r[i] = made
		}
		return result(0)
	case "munmap":
		clear(r)
		return result(0)
	case "mprotect":
		for i, was := 0, 0; i < len(r) && r[i].id != 0; i++ {
			if i == 0 || r[i].id != was {
				w.ids++ // Linux may make one mapping of them again, or not
			}
			was, r[i].id, r[i].prot = r[i].id, w.ids, op.prot
		}
		return hole
	case "mremap":
		return w.mremap(op)
	case "madvise":
		for i := range r {
			if r[i].id != 0 && !r[i].shared && op.val == madvDontNeed {
				r[i].val, r[i].resident = 0, false
			}
		}
		return hole
	case "mincore":
		if !full {
			return hole
		}
		vec := make([]byte, op.n)
		for i, p := range r {
			if p.resident {
				vec[i] = 1
			}
		}
		return fmt.Sprint(vec)
	case "load":
		if p := &r[0]; p.prot != 0 {
			p.resident = true
		}
		return r[0].load()
	case "store":
		p := &r[0]
		if p.prot&protWrite == 0 {
			return "fault"
		}
		p.val, p.resident = op.val, true
		return "done"
	}
	panic(op.kind)
}

func (w *memModel) mremap(op memOp) string {
	fixed := op.flags&mremapFixed != 0
	switch {
	case fixed && op.to < op.at+op.n && op.at < op.to+op.m:
		return result(syscall.EINVAL)
	case w.pages[op.at].id == 0:
		return result(syscall.EFAULT)
	}
	made := make([]modelPage, op.m)
	w.ids++
	for i := range made {
		made[i] = modelPage{id: w.ids, prot: w.pages[op.at].prot, shared: w.pages[op.at].shared}
		if i < op.n {
			p := w.pages[op.at+i]
			made[i].val, made[i].resident = p.val, p.resident
		}
	}
	free := true
	for i := op.at + op.n; i < op.at+op.m; i++ {
		free = free && w.pages[i].id == 0
	}
	switch {
	case fixed:
		clear(w.pages[op.at : op.at+op.n])
		copy(w.pages[op.to:], made)
	case free: // or smaller
		clear(w.pages[op.at : op.at+op.n])
		copy(w.pages[op.at:], made)
	case op.flags&mremapMayMove == 0:
		return result(syscall.ENOMEM)
	default:
		clear(w.pages[op.at : op.at+op.n])
		out := "elsewhere"
		for _, p := range made {
			out += " " + p.load()
		}
		return out + result(0)
	}
	return result(0)
}

// RandomMemory plays random operations on anonymous memory of s, and compares after
// each what it has and what may be touched with a model.
func RandomMemory(t testing.TB, s MemorySys, seed uint64, steps int) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	// With room around it that stays mapped: nothing else comes to lie there.
	const around = 8 * mapPage
	all, e := s.Mmap(0, memPages*mapPage+2*around, 0, mapPrivate|mapAnon|mapNoReserve, -1, 0)
	if e != 0 {
		t.Fatal(e)
	}
	real, model := &memSystem{s, all + around}, new(memModel)
	real.do(memOp{kind: "munmap", n: memPages})
	r := rand.New(rand.NewPCG(seed, 0))
	var last memOp
	both := func(op memOp) {
		if a, b := real.do(op), model.do(op); a != b {
			t.Fatalf("%T, seed %d, after %+v, %+v: %s, want %s", s, seed, last, op, a, b)
		}
	}
	for range steps {
		op := model.random(r)
		both(op)
		last = op
		both(memOp{kind: "mincore", at: op.at, n: op.n})
		for i := range memPages {
			if r.IntN(3) == 0 {
				both(memOp{kind: "load", at: i, n: 1})
			}
		}
	}
	for i := range memPages {
		both(memOp{kind: "load", at: i, n: 1})
	}
	if e := s.Munmap(all, memPages*mapPage+2*around); e != 0 {
		t.Error(e)
	}
}

// random makes an operation. What Linux leaves open is not asked: the pages of a
// range for mremap are of one mapping and have one protection.
func (w *memModel) random(r *rand.Rand) memOp {
	prots := []int{0, protRead, protRead | protWrite, protRead | protWrite | protExec}
	op := memOp{at: r.IntN(memPages), prot: prots[r.IntN(len(prots))], val: 1 + r.IntN(255)}
	op.n = 1 + r.IntN(min(8, memPages-op.at))
	switch k := r.IntN(20); {
	case k < 4:
		op.kind = "mmap"
		op.flags = mapPrivate | []int{0, mapNoReserve, mapPopulate}[r.IntN(3)]
		if r.IntN(6) == 0 {
			op.flags = mapShared
		}
		op.flags |= []int{mapFixed, mapFixed, mapFixedNoReplace, 0}[r.IntN(4)]
	case k < 6:
		op.kind = "munmap"
	case k < 10:
		op.kind = "mprotect"
	case k < 13:
		op.kind = "mremap"
		first := w.pages[op.at]
		for n := 1; n < op.n; n++ {
			if p := w.pages[op.at+n]; p.id != first.id || p.prot != first.prot {
				op.n = n
			}
		}
		if first.id == 0 {
			op.n = 1
		}
		op.m = 1 + r.IntN(min(8, memPages-op.at))
		if first.shared { // shared memory does not grow with its mapping
			op.m = min(op.m, op.n)
		}
		op.flags = r.IntN(2) * mremapMayMove
		if r.IntN(2) == 0 {
			op.flags = mremapMayMove | mremapFixed
			op.to = r.IntN(memPages - op.m + 1)
		}
	case k < 15:
		op.kind, op.val = "madvise", []int{madvDontNeed, madvDontNeed, 0, 3}[r.IntN(4)]
	default:
		op.kind, op.n = "store", 1
	}
	return op
}
