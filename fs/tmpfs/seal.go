package tmpfs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

const anyExec = 0o111

// Seals implements fs.SealFile, like the methods that follow. A file has SealSeal
// from the beginning: only memfd_create makes others.
func (f *file) Seals() uint32 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.seals
}

func (f *file) InitSeals(seals uint32) {
	f.mu.Lock()
	f.seals = seals
	f.mu.Unlock()
}

func (f *file) AddSeals(seals uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seals&fs.SealSeal != 0 {
		return syscall.EPERM
	}
	if seals&fs.SealExec != 0 && f.mode&anyExec != 0 {
		// What can be executed stays as it is.
		seals |= fs.SealShrink | fs.SealGrow | fs.SealWrite | fs.SealFutureWrite
	}
	f.seals |= seals
	return nil
}
