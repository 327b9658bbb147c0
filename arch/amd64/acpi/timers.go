package acpi

// Timers are the counters by which a clock can be judged.
type Timers struct {
	PM     Register // the power-management timer (4.8.3.3), 3579545 Hz; none: there is none
	PMWide bool     // it has 32 bits instead of 24
	HPET   uint64   // address of the registers of the high-precision event timers; 0: none
}

// Of the IA-PC HPET specification 1.0a.
const (
	hpetBase  = 40    // offset of its generic address (3.2.4)
	hpetWidth = 0x400 // of its registers (2.3.1)
)

func (t *Tables) readHPET(b []byte, addr uint64) {
	if len(b) < hpetBase+genericSize {
		t.problem(Problem{"HPET", addr, "length", uint64(len(b)), "too short for its base address"})
		return
	}
	r := t.generic(b, hpetBase, hpetWidth, "HPET", "base address", addr)
	if r.Space != InMemory || r.Addr%8 != 0 {
		t.problem(Problem{"HPET", addr, "base address", r.Addr, "not aligned memory; it is left out"})
		return
	}
	t.Timers.HPET = r.Addr
}
