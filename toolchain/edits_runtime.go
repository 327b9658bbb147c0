package toolchain

func init() { tables = append(tables, runtimeEdits) }

// runtimeEdits make room in the runtime for the files that
// _files/src/runtime adds.
var runtimeEdits = []Edit{
	Widen{"src/runtime/lock_futex.go", "notes and semaphores on the futexes of threads_tamago.go"},
	Narrow{"src/runtime/auxv_none.go", "there is an auxiliary vector: auxv_tamago.go"},
	Narrow{"src/runtime/mem_nonsbrk.go", "mem_tamago.go manages the RAM"},
	Narrow{"src/runtime/stubs2.go", "the calls are Go functions in os_tamago.go and threads_tamago.go"},
	Narrow{"src/runtime/stubs3.go", "so is nanotime1"},
	Narrow{"src/runtime/timestub2.go", "so is walltime"},

	Replace{"src/runtime/malloc.go", "heapAddrBits = (_64bit*", "heapAddrBits = osHeapAddrBits*goos.IsTamago + (_64bit*(1-goos.IsTamago)*", 1,
		"the arena index is sized by RAM, not by address space"},
	Replace{"src/runtime/malloc.go", "logHeapArenaBytes = (6+20)*(_64bit*", "logHeapArenaBytes = osLogHeapArenaBytes*goos.IsTamago + (6+20)*(_64bit*(1-goos.IsTamago)*", 1,
		"arenas of 4 MiB fit small machines"},
	Replace{"src/runtime/malloc.go", "arenaBaseOffset = 0xffff800000000000*goarch.IsAmd64", "arenaBaseOffset = 0xffff800000000000*goarch.IsAmd64*(1-goos.IsTamago)", 1,
		"no address has the sign bit set"},

	Replace{"src/runtime/mgcpacer.go", "if p == \"\" || p == \"off\" {", "if p == \"\" {\n\t\treturn osMemoryLimit()\n\t}\n\tif p == \"off\" {", 1,
		"without swap the RAM is the limit"},
	Replace{"src/runtime/mgc.go", "panicking.Load() != 0 || gcphase != _GCoff {\n", "panicking.Load() != 0 {\n\t\treturn false\n\t}\n\tif t.kind == gcTriggerHeap && osMemoryShort() {\n\t\treturn true\n\t}\n\tif gcphase != _GCoff {\n", 1,
		"who takes memory when the limit is reached waits for the collector"},
	Replace{"src/runtime/mgc.go", "\treleasem(mp)\n\tmp = nil\n\n\tif gp := getg(); gp.bubble != nil {", "\treleasem(mp)\n\tmp = nil\n\n\tif osWaitForMark(trigger) {\n\t\treturn\n\t}\n\n\tif gp := getg(); gp.bubble != nil {", 1,
		"see above"},
	Replace{"src/runtime/mgc.go", "\tif !trigger.test() {\n\t\tsemrelease(&work.startSema)", "\tif gcphase != _GCoff || !trigger.test() {\n\t\tsemrelease(&work.startSema)", 1,
		"see above"},
	Replace{"src/runtime/malloc.go", "func mallocgcLarge(size uintptr, typ *_type, needzero bool) (unsafe.Pointer, uintptr) {\n", "func mallocgcLarge(size uintptr, typ *_type, needzero bool) (unsafe.Pointer, uintptr) {\n\tosReserve(size)\n\n", 1,
		"see above"},
	Replace{"src/runtime/malloc.go", "\t\tif p == uintptr(v) {\n", "\t\tif v != nil && p == uintptr(v) {\n", 1,
		"a hint of address 0 that finds no memory has not found it at 0"},
	Replace{"src/runtime/mheap.go", "\t\tav, asize := h.sysAlloc(ask, &h.arenaHints, &h.heapArenas)\n", "\t\tif n := osGather(h, npage, ask, false); n >= npage*pageSize {\n\t\t\treturn n, true\n\t\t}\n\t\tav, asize := h.sysAlloc(ask, &h.arenaHints, &h.heapArenas)\n", 1,
		"rather than to take RAM beyond the limit, free pages are gathered"},
	Replace{"src/runtime/mheap.go", "\t\tif av == nil {\n\t\t\tinUse := gc", "\t\tif av == nil {\n\t\t\tif n := osGather(h, npage, ask, true); n != 0 {\n\t\t\t\treturn n, n >= npage*pageSize\n\t\t\t}\n\t\t\tinUse := gc", 1,
		"a large block may have its pages anywhere in the RAM"},
	Replace{"src/runtime/stack.go", "\tif newsize > maxstacksize || newsize > maxstackceiling {\n", "\tif newsize <= maxstacksize && newsize <= maxstackceiling && !osStackFits(gp, newsize) {\n\t\tmaxstacksize = oldsize\n\t}\n\n\tif newsize > maxstacksize || newsize > maxstackceiling {\n", 1,
		"a stack that outgrows the RAM has overflown"},

	Replace{"src/runtime/proc.go", "\tgodebug, parsedGodebug := getGodebugEarly()\n", "\tif disableMemoryProfiling {\n\t\tMemProfileRate = 0\n\t}\n\tgodebug, parsedGodebug := getGodebugEarly()\n", 1,
		"the first allocations would be sampled, into a table of 1.4 MB, before the rate is set to 0 further down"},
	Replace{"src/runtime/proc.go", "const haveSysmon = GOARCH != \"wasm\"", "const haveSysmon = GOARCH != \"wasm\" && goos.IsTamago == 0", 1,
		"the timer interrupt and osSchedule do its work"},
	Replace{"src/runtime/proc.go", "\tif haveSysmon {\n\t\tsystemstack(func() {\n", "\tosMain()\n\n\tif haveSysmon {\n\t\tsystemstack(func() {\n", 1,
		"the machine sets up what needs a running scheduler"},
	Replace{"src/runtime/proc.go", "top:\n\tpp := mp.p.ptr()\n\tpp.preempt = false\n", "top:\n\tosSchedule()\n\tpp := mp.p.ptr()\n\tpp.preempt = false\n", 1,
		"interrupts and threads get their turn between two goroutines"},
	Replace{"src/runtime/panic.go", "\t// ran out of deferred calls - old-school panic now\n", "\tosPanic()\n\n\t// ran out of deferred calls - old-school panic now\n", 1,
		"a profile of the program is saved before the panic ends it"},
	Replace{"src/runtime/traceback.go", "if isSystemGoroutine(gp, false) && level < 2 {", "if level < 2 && (isSystemGoroutine(gp, false) || osSystemGoroutine(gp)) {", 1,
		"the kernel's goroutines are as little the program's as those of a kernel elsewhere"},
	Replace{"src/runtime/cpuprof.go", "if GOOS == \"darwin\" || GOOS == \"ios\" {", "if GOOS == \"darwin\" || GOOS == \"ios\" || osOwnThreads {", 1,
		"a tick must not wake the reader of the profile: threads are none of its business"},
	Replace{"src/runtime/pprof/pprof.go", "if runtime.GOOS == \"darwin\" || runtime.GOOS == \"ios\" {", "if runtime.GOOS == \"darwin\" || runtime.GOOS == \"ios\" || goos.IsTamago == 1 {", 1,
		"so the reader looks now and then"},
	Replace{"src/runtime/pprof/pprof.go", "\t\"internal/goexperiment\"\n", "\t\"internal/goexperiment\"\n\t\"internal/goos\"\n", 1, "see above"},

	Replace{"src/runtime/heapdump.go", "\t\twriteheapdump_m(fd, &m)\n\t})\n\n\tstartTheWorld(stw)\n", "\t\twriteheapdump_m(fd, &m)\n\t})\n\n\tdump := takeHeapDump()\n\tstartTheWorld(stw)\n\tdump.write(fd)\n", 1,
		"files can be written when the world goes on"},

	Replace{"src/crypto/internal/fips140/drbg/entropy_fips140.go", "var memory entropy.ScratchBuffer", "var memory *entropy.ScratchBuffer", 1,
		"32 MiB without contents are RAM here: only who asks for FIPS 140-3 pays them"},
	Replace{"src/crypto/internal/fips140/drbg/entropy_fips140.go", "\tseed, err := entropy.Seed(&memory)", "\tif memory == nil {\n\t\tmemory = new(entropy.ScratchBuffer)\n\t}\n\tseed, err := entropy.Seed(memory)", 1,
		"see above"},
	Replace{"src/crypto/internal/fips140/drbg/entropy_fips140.go", "\tseed, err = entropy.Seed(&memory)", "\tseed, err = entropy.Seed(memory)", 1,
		"see above"},
}
