# For gdb, behind Go's runtime-gdb.py. That looks for a goroutine that runs by the number of
# its runtime thread, which it takes for one of gdb's threads; gdb's threads of a machine are
# its CPUs, on which the runtime's take turns. A CPU's goroutine is found by its g, which lies
# below the address in FS.
import gdb

go_find_goroutine = find_goroutine


def find_goroutine(goid):
	"""Returns program counter and stack pointer of a goroutine, or two times None."""
	void = gdb.lookup_type('void').pointer()
	g = gdb.lookup_type('runtime.g').pointer()
	selected = gdb.selected_thread()
	try:
		for cpu in gdb.selected_inferior().threads():
			cpu.switch()
			tls = int(gdb.parse_and_eval('$fs_base'))
			try:
				running = gdb.Value(tls - 8).cast(g.pointer()).dereference()
				if tls == 0 or running['m'] == 0 or running['m']['curg'] == 0:
					continue
				if running['m']['curg']['goid'] == goid:
					return gdb.parse_and_eval('$pc').cast(void), gdb.parse_and_eval('$sp').cast(void)
			except gdb.MemoryError:
				continue  # a CPU that has not started yet
	finally:
		selected.switch()
	for ptr in SliceValue(gdb.parse_and_eval("'runtime.allgs'")):
		if ptr['goid'] == goid and ptr['atomicstatus']['value'] & ~G_SCAN == G_RUNNING:
			return None, None  # its runtime thread waits for a CPU
	return go_find_goroutine(goid)
