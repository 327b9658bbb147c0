package main

import "testing"

func TestQueueCounters(t *testing.T) {
	got := queueCounters(`virtiofs root (virtio-mmio feb00c00): 1 request queues of 1024 (1 offered), features 0x130000000
  high priority.requests 1
  high priority.notifications 2
  high priority.interrupts 3
  request 0.requests 10
  request 0.notifications 20
  request 0.interrupts 30
`)
	if got != (counters{11, 22, 33}) {
		t.Errorf("%+v", got)
	}
}

func TestInterruptCount(t *testing.T) {
	got := interruptCount(`           CPU0
  4:        109   IO-APIC   4-edge      ttyS0
 24:         17   PCI-MSI 16384-edge      virtio0-config
 25:         25   PCI-MSI 16385-edge      virtio0-requests.0
 28:          5   IO-APIC  28-edge      virtio1
LOC:       1234   Local timer interrupts
`)
	if got != 47 {
		t.Errorf("got %g", got)
	}
}

// TestGroups holds that every row that the program is to measure has a group
// that it knows.
func TestGroups(t *testing.T) {
	for _, g := range groups {
		if g.run == nil || !contains("a,"+g.name, g.name) || contains(g.name+"x", g.name) {
			t.Error(g.name)
		}
	}
}
