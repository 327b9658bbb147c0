package procfs

import "testing"

func TestIomem(t *testing.T) {
	text := Iomem(func() []Resource {
		return []Resource{
			{0xfee00000, 0xfee01000, "Local APIC"}, {0x300000, 0x380000, "Kernel rodata"}, {0, 0x1000, "Reserved"}, {0x200000, 0x300000, "Kernel code"},
			{0x1_0000_0000, 0x2_0000_0000, "System RAM"}, {0x200000, 0x10000000, "System RAM"}, {5, 5, "nothing"}, {0x10, 0x20, "in it"},
		}
	})
	const want = "00000000-00000fff : Reserved\n  00000010-0000001f : in it\n" +
		"00200000-0fffffff : System RAM\n  00200000-002fffff : Kernel code\n  00300000-0037ffff : Kernel rodata\n" +
		"fee00000-fee00fff : Local APIC\n100000000-1ffffffff : System RAM\n"
	if got := string(text(nil)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
