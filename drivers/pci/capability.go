package pci

// Capability identifiers (§6.7 and appendix H).
const (
	CapVendor = 0x09
	CapMSIX   = 0x11
)

// Capability is an entry of a function's capability list: its identifier, and
// where it begins in the configuration space.
type Capability struct {
	ID  uint8
	Off int
}

// Room is how many bytes there are from the beginning of the capability to the
// end of the configuration space that capabilities live in.
func (c Capability) Room() int { return capEnd - c.Off }

const (
	capStart = 0x40
	capEnd   = 0x100
	maxCaps  = (capEnd - capStart) / 4
)

// readCapabilities walks the list (§6.7). It ends at what points outside of the
// space for capabilities, at an entry seen before, and at no answer.
func (f *Function) readCapabilities() []Capability {
	if f.Read16(regStatus)&statusCaps == 0 {
		return nil
	}
	var caps []Capability
	var seen [capEnd / 4]bool
	at := int(f.Read8(regCapability)) &^ 3 // the low bits are reserved
	for len(caps) < maxCaps && at >= capStart && at <= capEnd-4 && !seen[at/4] {
		seen[at/4] = true
		head := f.Read16(at)
		if head == 0xffff {
			break
		}
		caps = append(caps, Capability{uint8(head), at})
		at = int(head>>8) &^ 3
	}
	return caps
}

// Capabilities returns the entries of the capability list, in its order.
func (f *Function) Capabilities() []Capability { return f.caps }

// Capability returns the first capability of a kind.
func (f *Function) Capability(id uint8) (Capability, bool) {
	for _, c := range f.caps {
		if c.ID == id {
			return c, true
		}
	}
	return Capability{}, false
}
