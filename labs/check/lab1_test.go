package main

import (
	"os"
	"strings"
	"testing"

	"github.com/yolkos/yolk/labs/internal/machine"
	"github.com/yolkos/yolk/labs/internal/pvh"
	"github.com/yolkos/yolk/labs/internal/report"
)

// lit is a machine that the solution of lab 1 has run on.
func lit() *machine.State {
	s := &machine.State{
		End: machine.Said, Serial: light, CS: "CS64",
		Regs: map[string]uint64{"CR0": 1<<31 | 1<<16 | 1, "CR3": pml4, "CR4": cr4PAE, "EFER": eferLME | eferLMA, "RIP": 0x201000},
		Memory: map[uint64][]uint64{
			pml4: {pdpt | 3 | 1<<5},
			pdpt: {pd | 3, pd + 0x1003, pd + 0x2003, pd + 0x3003},
			pd:   make([]uint64, pages),
			gdt:  {0, 0x00af9b00_0000ffff, 0x00cf9200_0000ffff},
		},
	}
	for i := range s.Memory[pd] {
		s.Memory[pd][i] = uint64(i)*pageBytes | 0x83
	}
	s.Memory[pd][0] |= 1<<5 | 1<<6
	return s
}

// TestLightDiagnosis: the check of lab 1 names what is wrong with a machine.
func TestLightDiagnosis(t *testing.T) {
	page := func(i int, v uint64) func(*machine.State) {
		return func(s *machine.State) { s.Memory[pd][i] = v }
	}
	link := func(i int, v uint64) func(*machine.State) {
		return func(s *machine.State) { s.Memory[pdpt][i] = v }
	}
	code := func(v uint64) func(*machine.State) {
		return func(s *machine.State) { s.Memory[gdt][1] = v<<32 | 0xffff }
	}
	reg := func(name string, clear, set uint64) func(*machine.State) {
		return func(s *machine.State) { s.Regs[name] = s.Regs[name]&^clear | set }
	}
	serial := func(end machine.End, text string) func(*machine.State) {
		return func(s *machine.State) { s.End, s.Serial = end, text }
	}
	for _, c := range []struct {
		spoil func(*machine.State)
		says  string // words of the verdict, separated by |
	}{
		{func(s *machine.State) {}, "PASS"},
		{func(s *machine.State) { s.Memory[pml4][0] = 0 }, "PML4[0] is 0|TODO 1"},
		{func(s *machine.State) { s.Memory[pml4][0] = pdpt | 2 }, "PML4[0]|present"},
		{func(s *machine.State) { s.Memory[pml4][0] = pdpt | 1 }, "PML4[0]|writable"},
		{func(s *machine.State) { s.Memory[pml4][0] = pdpt | 0x83 }, "PML4[0]|bit 7"},
		{link(1, (pd+0x2003)<<32|pd+0x1003), "PDPT[1]|upper half|8 bytes"},
		{link(3, pd+0x2003), "PDPT[3]|0x104000|0x105000"},
		{page(0, 511<<21|0x83), "PD[0]|entry for PD[511]|ADDL $8"},
		{page(0, 0), "PD is empty|TODO 2"},
		{page(512, 0), "PD has 512 entries|0x40000000"},
		{page(0, 3), "PD[0]|bit 7 (large)"},
		{page(1, 0x200082), "PD[1]|present"},
		{page(1, 0x83), "PD[1]|the same as the one before"},
		{page(1, 0x201083), "PD[1]|i * 0x200000"},
		{page(0, 0x00200083_00000083), "PD[0]|upper half"},
		{code(0), "GDT + 12, is 0|TODO 3"},
		{code(0x00cf9a00), "bit 21 (L)"},
		{code(0x00ef9a00), "bit 22 (D)"},
		{code(0x00af9200), "bit 11"},
		{code(0x00affa00), "ring"},
		{reg("CR3", ^uint64(0), pdpt), "CR3 is 0x101000|TODO 4"},
		{reg("CR4", cr4PAE, 0), "bit 5 (PAE)"},
		{reg("EFER", eferLME|eferLMA, 0), "paging is on, but EFER|LME"},
		{reg("EFER", eferLMA, 0), "bit 10 (LMA)"},
		{reg("CR0", cr0PG, 0), "bit 31 (PG)"},
		{reg("CR0", cr0PE, 0), "bit 0 (PE, protected mode)|TODO 4"},
		{func(s *machine.State) { s.CS, s.End = "CS32", machine.Crashed }, "has not come to 64-bit code|crashed"},
		{serial(machine.Halted, ""), "nothing has come|TODO 5"},
		{serial(machine.Halted, light[:1]), "not all of the message|TODO 6"},
		{serial(machine.Halted, "LLLL"), `"LLLL"|in order`},
		{serial(machine.Busy, ""), "does not stop|TODO 5"},
		{serial(machine.Busy, light[:1]+light), "does not stop|TODO 6"},
		{serial(machine.Crashed, ""), "crashed|heap"},
	} {
		s := lit()
		c.spoil(s)
		var b strings.Builder
		r := report.New(&b)
		judge(s, &pvh.Program{}, r)
		r.End()
		for word := range strings.SplitSeq(c.says, "|") {
			if !strings.Contains(b.String(), word) {
				t.Errorf("want %q in:\n%s", word, &b)
			}
		}
		if r.Failed() == (c.says == "PASS") {
			t.Errorf("want %q:\n%s", c.says, &b)
		}
	}
}

// TestLightSource: instructions of 64-bit mode before the far return are found, and
// nothing else is.
func TestLightSource(t *testing.T) {
	source, err := os.ReadFile("../solutions/1/entry_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	const place = "\tMOVL\tAX, CR3\n"
	for line, says := range map[string]string{
		"":                            "",
		"\tJEQ\tfill\n":               "",
		"\tSETEQ\tAX\n":               "",
		"\tCALL\t·light(SB)\n":        "",
		"\tMOVL\t$1, AX // MOVQ R8\n": "",
		"\tMOVQ\tAX, (DI)\n":          "MOVQ is an instruction of 64 bits",
		"\tADDQ\t$8, DI\n":            "ADDQ is",
		"\tMOVL\tR9, AX\n":            "R9 is a register",
		"\tMOVL\t·x(SB), AX\n":        "relative",
	} {
		bad := checkSource(strings.Replace(string(source), place, place+line, 1))
		switch {
		case bad == nil && says != "":
			t.Errorf("%q: nothing found", line)
		case bad != nil && (says == "" || !strings.Contains(bad.what, says)):
			t.Errorf("%q: %v", line, bad.what)
		}
	}
	if bad := checkSource("TEXT ·start(SB),NOSPLIT,$0\n"); bad == nil || !strings.Contains(bad.what, "far return is gone") {
		t.Errorf("without a far return: %v", bad)
	}
}

// TestLightMistakes: a machine that has failed is what the diagnosis takes it for.
func TestLightMistakes(t *testing.T) {
	const entry, light = "entry_amd64.s", "light.go"
	mutate(t, 1, []mistake{
		{entry, "\tORL\t$(1<<5), AX\n", "", []string{"bit 5 (PAE)", "TODO 4"}},
		{light, "&thre == 0", "&thre != 0", []string{"does not stop", "was still running", "TODO 5"}},
		{light, "\t\tputc(message[i])\n", "\t\tputc(message[i])\n\t\tprintln(len(make([]byte, i+1)))\n", []string{"crashed", "heap"}},
	})
}
