package syscalls

import (
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// What is told of segments: memory that stays where it is.
var ourData, theirData ShmidDs

// TestSharedMemory makes the same calls on segments here and on the host: errors, and
// what is told of segments, are the same.
func TestSharedMemory(t *testing.T) {
	k := newOurs().k
	k.Memory = newMemory(t)
	type pair struct{ ours, theirs uintptr }
	var made []pair // ids
	call := func(what string, num uintptr, ours, theirs [3]uintptr) (p pair, ok bool) {
		t.Helper()
		r, _, want := syscall.Syscall(num, theirs[0], theirs[1], theirs[2])
		got, e := k.Call(num, ours[0], ours[1], ours[2], 0, 0, 0)
		if want == syscall.ENOSYS {
			t.Skip("the host has no System V IPC")
		}
		is(t, what, e, want)
		return pair{got, r}, e == 0 && want == 0
	}
	get := func(what string, key, size, flags uintptr) (pair, bool) {
		t.Helper()
		p, ok := call(what, syscall.SYS_SHMGET, [3]uintptr{key, size, flags}, [3]uintptr{key, size, flags})
		if int(p.theirs) >= 0 {
			made = append(made, p)
		}
		return p, ok
	}
	defer func() {
		for _, p := range made {
			syscall.Syscall(syscall.SYS_SHMCTL, p.theirs, 0, 0)
		}
	}()
	at := func(what string, id, addr pair, flags uintptr) (pair, bool) {
		t.Helper()
		return call(what, syscall.SYS_SHMAT, [3]uintptr{id.ours, addr.ours, flags}, [3]uintptr{id.theirs, addr.theirs, flags})
	}
	dt := func(what string, addr pair) {
		t.Helper()
		call(what, syscall.SYS_SHMDT, [3]uintptr{addr.ours}, [3]uintptr{addr.theirs})
	}
	ctl := func(what string, id pair, cmd uintptr) {
		t.Helper()
		call(what, syscall.SYS_SHMCTL, [3]uintptr{id.ours, cmd, uintptr(unsafe.Pointer(&ourData))}, [3]uintptr{id.theirs, cmd, uintptr(unsafe.Pointer(&theirData))})
	}
	stat := func(what string, id pair) {
		t.Helper()
		ctl(what, id, 2)
		a, b := ourData, theirData
		if a.Perm.Key != b.Perm.Key || a.Perm.Mode != b.Perm.Mode || a.Size != b.Size || a.Attached != b.Attached ||
			(a.Atime != 0) != (b.Atime != 0) || (a.CPid != 0) != (b.CPid != 0) || (a.LPid != 0) != (b.LPid != 0) {
			t.Errorf("%s: %+v, on Linux %+v", what, a, b)
		}
	}
	key := uintptr(rand.Uint32() | 1)
	none := pair{^uintptr(0), ^uintptr(0)}
	get("a key that nobody has", key, 5000, 0o600)
	get("no bytes", ipcPrivate, 0, 0o600)
	get("too many", ipcPrivate, math.MaxUint64, 0o600)
	id, there := get("new", key, 5000, ipcCreat|ipcExcl|0o640)
	if !there {
		t.FailNow()
	}
	if again, _ := k.Shmget(int32(key), 100, 0); again != int(id.ours) {
		t.Errorf("the key finds %d, want %d", again, id.ours)
	}
	get("there already", key, 5000, ipcCreat|ipcExcl|0o600)
	get("too large", key, 5001, 0)
	stat("new", id)
	at("no segment", none, pair{}, 0)
	at("nowhere, in place of all", id, pair{}, shmRemap)
	a, _ := at("somewhere", id, pair{}, 0)
	b, _ := at("once more, to be read", id, pair{}, shmRdonly)
	stat("attached twice", id)
	page := func(p pair, n uintptr) pair { return pair{p.ours + n, p.theirs + n} }
	at("where it is", id, a, 0)
	at("between pages", id, page(a, 8), 0)
	at("between pages, in place of what is there", id, page(a, 8), shmRnd|shmRemap)
	stat("attached over itself", id)
	one, other := bytesAt(a.ours, 5000), bytesAt(b.ours, 5000)
	one[4999] = 7
	if other[4999] != 7 || !faults(func() { other[0] = 1 }) {
		t.Error("the memory is not shared, or not read-only")
	}
	is(t, "writing to what is to be read", k.Mprotect(b.ours, pageSize, protRead|protWrite), syscall.EACCES)
	dt("in the middle", page(a, pageSize))
	dt("between pages", page(a, 8))
	ok(t, k.Munmap(a.ours, pageSize))
	if _, _, e := syscall.Syscall(syscall.SYS_MUNMAP, a.theirs, pageSize, 0); e != 0 {
		t.Fatal(e)
	}
	stat("half of it unmapped", id)
	dt("what lacks its first page", a)
	dt("whole", b)
	stat("one left", id)
	ctl("locking", id, 11)
	stat("locked", id)
	ctl("unlocking", id, 12)
	ctl("no command", id, 999)
	ctl("of no segment", none, 2)
	ctl("removing", id, 0)
	get("a key that is gone", key, 100, 0)
	stat("removed, attached", id)
	c, _ := at("removed, attached", id, pair{}, 0)
	dt("the second", c)
	ok(t, k.Munmap(a.ours+pageSize, pageSize))
	syscall.Syscall(syscall.SYS_MUNMAP, a.theirs+pageSize, pageSize, 0)
	ctl("gone", id, 2)
	nothingLeft(t, k)
}
