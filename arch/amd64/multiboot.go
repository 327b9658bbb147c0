package amd64

// Types of tags in the information of a Multiboot 2 loader (Multiboot2 Specification
// 2.0, 3.6).
const (
	multibootMagic = 0x36d76289 // in EAX

	mbEnd     = 0
	mbCmdline = 1
	mbModule  = 3
	mbMemory  = 6
	mbOldRSDP = 14
	mbNewRSDP = 15

	mbHeader   = 8  // bytes of the information's head, and of each tag's
	mbEntryMin = 20 // bytes of an entry of the memory map that are known
)

// readMultiboot reads the information in b, which lies at p, as readStartInfo and
// readModule do that of a PVH loader. Foreign bytes: a tag that reaches beyond the end
// ends it.
func (m *memoryMap) readMultiboot(b []byte, p, image, imageEnd uintptr, limit uint64) (info startInfo, ok bool) {
	var module Range
	for at := mbHeader; at+mbHeader <= len(b); {
		kind, size := le32(b[at:]), int(le32(b[at+4:]))
		if kind == mbEnd || size < mbHeader || size > len(b)-at {
			break
		}
		tag, where := b[at+mbHeader:at+size], p+uintptr(at+mbHeader)
		switch kind {
		case mbCmdline:
			if len(tag) > 0 && tag[len(tag)-1] == 0 {
				info.cmdline = uint64(where)
			}
		case mbModule:
			if info.modules++; len(tag) >= 8 && module.End == 0 {
				module = Range{uint64(le32(tag)), uint64(le32(tag[4:]))}
			}
		case mbMemory:
			m.readMultibootMap(tag, image, limit)
		case mbOldRSDP:
			if info.rsdp == 0 {
				info.rsdp = uint64(where)
			}
		case mbNewRSDP:
			info.rsdp = uint64(where)
		}
		at += (size + 7) &^ 7
	}
	if m.main.End != 0 && info.modules > 0 {
		m.reserve(module, uint64(imageEnd))
	}
	return info, m.main.End != 0
}

// readMultibootMap reads the entries of the memory map.
func (m *memoryMap) readMultibootMap(tag []byte, image uintptr, limit uint64) {
	if len(tag) < 8 {
		return
	}
	size := int(le32(tag))
	for tag = tag[8:]; size >= mbEntryMin && len(tag) >= size; tag = tag[size:] {
		m.add(memEntry{addr: le64(tag), size: le64(tag[8:]), kind: le32(tag[16:])}, image, limit)
	}
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func le64(b []byte) uint64 { return uint64(le32(b)) | uint64(le32(b[4:]))<<32 }
