//go:build tamago

package syscall

import "unsafe"

// noKernel is the Kernel before there is one.
type noKernel struct{}

//go:linkname runtimeWrite runtime.write
func runtimeWrite(fd uintptr, p unsafe.Pointer, n int32) int32

func (noKernel) Write(fd int, p []byte) (int, Errno) {
	if fd != Stdout && fd != Stderr {
		return 0, ENOSYS
	}
	if len(p) == 0 {
		return 0, 0
	}
	p = p[:min(len(p), 1<<30)]
	return int(runtimeWrite(uintptr(fd), unsafe.Pointer(&p[0]), int32(len(p)))), 0
}

func (noKernel) Call(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, Errno) { return 0, ENOSYS }
func (noKernel) Openat(int, string, int, uint32) (int, Errno)              { return 0, ENOSYS }
func (noKernel) Close(int) Errno                                           { return ENOSYS }
func (noKernel) Fstat(int, *Stat_t) Errno                                  { return ENOSYS }
func (noKernel) Fstatat(int, string, *Stat_t, int) Errno                   { return ENOSYS }
func (noKernel) Read(int, []byte) (int, Errno)                             { return 0, ENOSYS }
func (noKernel) Pread(int, []byte, int64) (int, Errno)                     { return 0, ENOSYS }
func (noKernel) Pwrite(int, []byte, int64) (int, Errno)                    { return 0, ENOSYS }
func (noKernel) Seek(int, int64, int) (int64, Errno)                       { return 0, ENOSYS }
func (noKernel) ReadDirent(int, []byte) (int, Errno)                       { return 0, ENOSYS }
func (noKernel) Mkdirat(int, string, uint32) Errno                         { return ENOSYS }
func (noKernel) Unlinkat(int, string, int) Errno                           { return ENOSYS }
func (noKernel) Renameat2(int, string, int, string, uint32) Errno          { return ENOSYS }
func (noKernel) Getcwd() (string, Errno)                                   { return "", ENOSYS }
func (noKernel) Wait(int, int) Errno                                       { return ENOSYS }
func (noKernel) Interrupt(int) Errno                                       { return ENOSYS }
func (noKernel) SetDeadline(int, int, int64) Errno                         { return ENOSYS }
