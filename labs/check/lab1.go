package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yolkos/yolk/labs/internal/machine"
	"github.com/yolkos/yolk/labs/internal/pvh"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Where the lab has its tables: the numbers of entry_amd64.s.
const (
	pml4  = 0x100000
	pdpt  = 0x101000
	pd    = 0x102000
	gdt   = 0x108000
	pages = 4 * 512 // entries of 2 MiB for 4 GiB
)

const light = "Let there be light.\n"

// checkLight is the check of lab 1: it boots the image and looks at what the machine
// has come to.
func checkLight(l *lab, dir string, r *report.Report) error {
	source, err := os.ReadFile(filepath.Join(dir, "entry_amd64.s"))
	if err != nil {
		return err
	}
	if bad := checkSource(string(source)); bad != nil {
		r.Fail(bad.what, bad.hint)
		return nil
	}
	p, err := pvh.Build(dir)
	if err != nil {
		r.Fail("the image cannot be built:", "the assembler and the compiler name file and line. Does each TODO have its code in place?")
		r.Show(err.Error())
		return nil
	}
	r.OK("the image is built")
	s, err := machine.Run(p.Image, light, machine.Region{Addr: pml4, Words: 1}, machine.Region{Addr: pdpt, Words: 4},
		machine.Region{Addr: pd, Words: pages}, machine.Region{Addr: gdt, Words: 3})
	if err != nil {
		return err
	}
	judge(s, p, r)
	return nil
}

// judge goes through the steps of the lab in order, up to the first that is wrong.
func judge(s *machine.State, p *pvh.Program, r *report.Report) {
	for _, step := range []func(*machine.State, *pvh.Program) (ok string, bad *problem){
		checkLinks, checkPages, checkDescriptor, checkLongMode, checkCode64, checkSerial,
	} {
		ok, bad := step(s, p)
		if bad != nil {
			r.Fail(bad.what, bad.hint)
			return
		}
		r.OK("%s", ok)
	}
}

// Instructions that are others in 32-bit mode: of 64 bits, with the registers that only
// 64-bit mode has, or with an address that is relative to the instruction.
var (
	wide     = regexp.MustCompile(`^\s*([A-Z]+Q)\s`)
	sameWide = regexp.MustCompile(`^(J|SET|CMOV\w)EQ$|^(PUSH|POP)Q$`) // no Q of that kind, or coded the same
	high     = regexp.MustCompile(`\bR(8|9|1[0-5])\b`)
	relative = regexp.MustCompile(`^\s*(MOV|LEA|ADD|SUB|CMP|OR|AND|XOR)[BWLQ]\s.*\(SB\)`)
)

// checkSource looks for instructions of 64-bit mode before the far return, which the
// assembler takes and the processor takes for something else.
func checkSource(text string) *problem {
	before, _, found := strings.Cut(text, "$0xcb") // RETF
	if !found {
		return &problem{"entry_amd64.s: the far return is gone: BYTE $0xcb.", "it is given: git diff shows what you have changed."}
	}
	for i, line := range strings.Split(before, "\n") {
		line, _, _ = strings.Cut(line, "//")
		what := ""
		if m := wide.FindStringSubmatch(line); m != nil && !sameWide.MatchString(m[1]) {
			what = m[1] + " is an instruction of 64 bits"
		} else if m := high.FindString(line); m != "" {
			what = m + " is a register of 64-bit mode"
		} else if relative.MatchString(line) {
			what = "the address of a name with (SB) is relative to the instruction, which is there in 64-bit mode alone"
		}
		if what != "" {
			return &problem{fmt.Sprintf("entry_amd64.s, line %d: %s: %s.", i+1, strings.Join(strings.Fields(line), " "), what),
				"before the far return the processor is in 32-bit mode, and reads the bytes of this line as something else: MOVL, AX to DI, and addresses in a register."}
		}
	}
	return nil
}

// bootLight shows the serial port.
func bootLight(l *lab, dir string, w io.Writer) error {
	p, err := pvh.Build(dir)
	if err != nil {
		return err
	}
	s, err := machine.Run(p.Image, light)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s[the machine %s in %s, %s]\n", s.Serial, ends[s.End], place(s, p), mode(s))
	return nil
}

var ends = map[machine.End]string{
	machine.Halted: "halted", machine.Crashed: "crashed", machine.Said: "stood", machine.Busy: "was still running",
}

// problem is something wrong, and what helps.
type problem struct{ what, hint string }

func wrong(hint, format string, args ...any) (string, *problem) {
	return "", &problem{fmt.Sprintf(format, args...), hint}
}

// Bits of an entry (Intel SDM vol. 3, 4.5). The processor sets accessed and dirty.
const (
	present   = 1 << 0
	writable  = 1 << 1
	touched   = 1<<5 | 1<<6
	large     = 1 << 7
	addrMask  = 1<<52 - 1<<12
	pageBytes = 2 << 20
)

func checkLinks(s *machine.State, _ *pvh.Program) (string, *problem) {
	links := []struct {
		name       string
		got, leads uint64
	}{{"PML4[0]", s.Memory[pml4][0], pdpt}}
	for i, got := range s.Memory[pdpt] {
		links = append(links, struct {
			name       string
			got, leads uint64
		}{fmt.Sprintf("PDPT[%d]", i), got, pd + uint64(i)*0x1000})
	}
	for _, l := range links {
		got := l.got &^ touched
		switch {
		case got == l.leads|present|writable:
		case got == 0:
			return wrong("TODO 1: an entry is written with MOVL to the address of its table plus 8 times its number.", "%s is 0: it leads nowhere.", l.name)
		case got&large != 0:
			return wrong("TODO 1: 0x83 is for the entries of PD alone.", "%s is %#x: bit 7 says that it maps memory, but it has to lead to a table.", l.name, got)
		case got&present == 0:
			return wrong("TODO 1: the processor takes an entry for empty unless its bit 0 is set.", "%s is %#x: bit 0 (present) is missing.", l.name, got)
		case got&writable == 0:
			return wrong("TODO 1: no page below an entry without bit 1 can be written, whatever its own entry says.", "%s is %#x: bit 1 (writable) is missing.", l.name, got)
		case got>>32 != 0:
			return wrong("TODO 1: entries have 8 bytes. Is the next one 8 bytes further?", "%s is %#x: something is in its upper half.", l.name, got)
		default:
			return wrong("TODO 1: which table comes next, and where does it lie?", "%s is %#x: it leads to %#x, and the next table is at %#x.", l.name, got, got&addrMask, l.leads)
		}
	}
	return "the tables are linked: PML4 to PDPT to PD", nil
}

func checkPages(s *machine.State, _ *pvh.Program) (string, *problem) {
	table := s.Memory[pd]
	if len(table) != pages {
		return wrong("", "PD could not be read.")
	}
	for i, e := range table {
		got, want := e&^touched, uint64(i)*pageBytes|present|writable|large
		if got == want {
			continue
		}
		switch {
		case i == 0 && got >= pageBytes && got < pages*pageBytes && got%pageBytes == want:
			return wrong("TODO 2: the first entry is 0x83, and after each the address in DI grows by 8: ADDL $8, DI. Without the $ it would grow by what lies at address 8.",
				"PD[0] is %#x, and that is the entry for PD[%d].", got, got/pageBytes)
		case got == 0 && i == 0:
			return wrong("TODO 2: a loop writes 0x83 to PD, then an entry more every 8 bytes.", "PD is empty: no memory is mapped.")
		case got == 0:
			return wrong("TODO 2: the loop ends at TABLES_END, 4 pages of 512 entries behind PD.", "PD has %d entries, and 2048 are needed: memory from %#x on is not mapped.", i, uint64(i)*pageBytes)
		case got>>32 != 0:
			return wrong("TODO 2: entries have 8 bytes; after each the address grows by 8.", "PD[%d] is %#x: its upper half should be 0.", i, got)
		case got&large == 0:
			return wrong("TODO 2: without bit 7 the processor looks for a fourth table at that address.", "PD[%d] is %#x: bit 7 (large) is missing.", i, got)
		case got&present == 0 || got&writable == 0:
			return wrong("TODO 2: 0x83 is present, writable, large.", "PD[%d] is %#x: bit 0 (present) or bit 1 (writable) is missing.", i, got)
		case i > 0 && got == table[i-1]&^touched:
			return wrong("TODO 2: each entry maps 0x200000 bytes, so that the next one is larger by that.", "PD[%d] is %#x, the same as the one before it: all addresses would lead to one place.", i, got)
		default:
			return wrong("TODO 2: entry i is i * 0x200000 + 0x83.", "PD[%d] is %#x, and maps %#x; it should map %#x.", i, got, got&addrMask, uint64(i)*pageBytes)
		}
	}
	return "4 GiB of memory are mapped, in 2048 pages of 2 MiB", nil
}

func checkDescriptor(s *machine.State, _ *pvh.Program) (string, *problem) {
	d := s.Memory[gdt][1] >> 32
	bits := []struct {
		bit  uint
		want uint64
		hint string
	}{
		{15, 1, "bit 15 (present) is missing"},
		{12, 1, "bit 12 is missing: it tells a segment of code or data from one of the system's own"},
		{11, 1, "bit 11 is missing: without it the segment is data, and cannot be run"},
		{21, 1, "bit 21 (L) is missing: without it the code in the segment is 32-bit code, also in long mode"},
		{22, 0, "bit 22 (D) is set: beside L it has to be 0"},
		{13, 0, "bits 13 and 14 are the ring, and 0 is the kernel's"},
		{14, 0, "bits 13 and 14 are the ring, and 0 is the kernel's"},
	}
	if d == 0 {
		return wrong("TODO 3: put it together of the bits in the page's table.", "the code descriptor's upper half, at GDT + 12, is 0: there is no segment to return to.")
	}
	for _, b := range bits {
		if d>>b.bit&1 != b.want {
			return wrong("TODO 3: count the bits in the page's table again.", "the code descriptor's upper half, at GDT + 12, is %#08x: %s.", d, b.hint)
		}
	}
	return "there is a segment for 64-bit code", nil
}

// Bits of the control registers (Intel SDM vol. 3, 2.5 and 2.2.1).
const (
	cr0PE   = 1 << 0
	cr0PG   = 1 << 31
	cr4PAE  = 1 << 5
	eferLME = 1 << 8
	eferLMA = 1 << 10
)

func checkLongMode(s *machine.State, p *pvh.Program) (string, *problem) {
	cr0, cr3, cr4, efer := s.Reg("CR0"), s.Reg("CR3"), s.Reg("CR4"), s.Reg("EFER")
	switch {
	case cr3 == 0 && cr0&cr0PG == 0 && cr4&cr4PAE == 0 && efer&eferLME == 0:
		return wrong("TODO 4: four registers: CR3, CR4, EFER, CR0.", "CR3 is 0, and paging is off: long mode is not entered yet.")
	case cr3 != pml4:
		return wrong("TODO 4: a control register is loaded from a register: MOVL $PML4, AX, then MOVL AX, CR3.", "CR3 is %#x: it should be the address of PML4, %#x.", cr3, pml4)
	case cr4&cr4PAE == 0:
		return wrong("TODO 4: read CR4, set bit 5, write it back; before CR0 gets PG.", "CR4 is %#x: bit 5 (PAE) is missing, without which there are no entries of 8 bytes.", cr4)
	case efer&eferLME == 0 && cr0&cr0PG != 0:
		return wrong("TODO 4: EFER comes before CR0: LME cannot be changed while paging is on.", "paging is on, but EFER is %#x: without bit 8 (LME) this is the paging of 32-bit mode.", efer)
	case efer&eferLME == 0:
		return wrong("TODO 4: MOVL $MSR_EFER, CX before RDMSR; set bit 8 of AX; WRMSR.", "EFER is %#x: bit 8 (LME, long mode enable) is missing.", efer)
	case cr0&cr0PG == 0:
		return wrong("TODO 4: bit 31 of CR0 is the last step. From then on every address goes through the tables.", "CR0 is %#x: bit 31 (PG) is missing: paging is off.", cr0)
	case cr0&cr0PE == 0:
		return wrong("TODO 4: read CR0, set the two bits in what was read, write it back.", "CR0 is %#x: bit 0 (PE, protected mode), which was set, is lost.", cr0)
	case efer&eferLMA == 0:
		return wrong("TODO 4: the order is CR3, CR4, EFER, CR0.", "EFER is %#x: the processor has not set bit 10 (LMA): it is not in long mode.", efer)
	}
	return "long mode is active: paging is on, with tables of four levels", nil
}

func checkCode64(s *machine.State, p *pvh.Program) (string, *problem) {
	if s.CS != "CS64" {
		return wrong("The far return is given: has something before it changed the stack, or GDTR?", "the machine %s in %s, in %s: it has not come to 64-bit code.", ends[s.End], place(s, p), mode(s))
	}
	return "64-bit code runs", nil
}

func checkSerial(s *machine.State, p *pvh.Program) (string, *problem) {
	where := fmt.Sprintf("The machine %s in %s.", ends[s.End], place(s, p))
	got := s.Serial
	switch {
	case s.End == machine.Crashed:
		return wrong("what did that function do last? Go code that needs the heap, a string made anew or a goroutine cannot run here.", "the machine crashed in %s, with a fault that nobody handles; the serial port has sent %q.", place(s, p), got)
	case s.End == machine.Busy && got == "":
		return wrong("TODO 5: bit thre of lsr is set while the transmitter is free. Is it the right register, and does the loop end when the bit is there?", "nothing has come from the serial port, and the machine does not stop. %s", where)
	case s.End == machine.Busy:
		return wrong("TODO 6: a loop over message has an end.", "the machine does not stop: it has sent %d bytes, that begin with %q. %s", len(got), cut(got), where)
	case got == light:
		return "the serial port says: " + strings.TrimSuffix(light, "\n"), nil
	case got == "":
		return wrong("TODO 5: the byte goes to port com1, by reg.Out8. TODO 6: and somebody has to call putc.", "nothing has come from the serial port. %s", where)
	case strings.HasPrefix(light, got):
		return wrong("TODO 6: to the end of message, its newline too.", "the serial port has sent %q, and that is not all of the message.", got)
	}
	return wrong("TODO 6: each byte of message once, in order.", "the serial port has sent %q, and should have sent %q.", cut(got), light)
}

// cut keeps the beginning of a long text.
func cut(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

// place says in which function a machine has stopped.
func place(s *machine.State, p *pvh.Program) string {
	ip := s.Reg("IP")
	if f := p.Function(ip); f != "" {
		return fmt.Sprintf("%s (%#x)", strings.TrimPrefix(path.Base(f), "main."), ip)
	}
	return fmt.Sprintf("no function, at %#x", ip)
}

func mode(s *machine.State) string {
	switch s.CS {
	case "CS64":
		return "64-bit mode"
	case "CS32":
		return "32-bit mode"
	}
	return "16-bit mode"
}
