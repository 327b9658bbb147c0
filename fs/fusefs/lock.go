package fusefs

// processOwner is the owner of POSIX locks: a guest is one process.
const processOwner = 1

// flockOwner is the owner of BSD locks taken through h: the open file itself.
func (h *handle) flockOwner() uint64 { return h.owner }
