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

func (noKernel) Sync()            {}
func (noKernel) Umask(int) int    { return 0o022 }
func (noKernel) Hostname() string { return "" }

func (noKernel) Openat(int, string, int, uint32) (int, Errno)                  { return 0, ENOSYS }
func (noKernel) Close(int) Errno                                               { return ENOSYS }
func (noKernel) Read(int, []byte) (int, Errno)                                 { return 0, ENOSYS }
func (noKernel) Pread(int, []byte, int64) (int, Errno)                         { return 0, ENOSYS }
func (noKernel) Pwrite(int, []byte, int64) (int, Errno)                        { return 0, ENOSYS }
func (noKernel) Seek(int, int64, int) (int64, Errno)                           { return 0, ENOSYS }
func (noKernel) ReadDirent(int, []byte) (int, Errno)                           { return 0, ENOSYS }
func (noKernel) Wait(int, int) Errno                                           { return ENOSYS }
func (noKernel) Interrupt(int) Errno                                           { return ENOSYS }
func (noKernel) SetDeadline(int, int, int64) Errno                             { return ENOSYS }
func (noKernel) Dup(int) (int, Errno)                                          { return 0, ENOSYS }
func (noKernel) Dup3(int, int, int) Errno                                      { return ENOSYS }
func (noKernel) Fcntl(int, int, int) (int, Errno)                              { return 0, ENOSYS }
func (noKernel) FcntlFlock(int, int, *Flock_t) Errno                           { return ENOSYS }
func (noKernel) Flock(int, int) Errno                                          { return ENOSYS }
func (noKernel) Pipe2(*[2]int, int) Errno                                      { return ENOSYS }
func (noKernel) Ftruncate(int, int64) Errno                                    { return ENOSYS }
func (noKernel) Fsync(int) Errno                                               { return ENOSYS }
func (noKernel) Fdatasync(int) Errno                                           { return ENOSYS }
func (noKernel) Fallocate(int, uint32, int64, int64) Errno                     { return ENOSYS }
func (noKernel) CopyFileRange(int, *int64, int, *int64, int, int) (int, Errno) { return 0, ENOSYS }
func (noKernel) Fstat(int, *Stat_t) Errno                                      { return ENOSYS }
func (noKernel) Fstatat(int, string, *Stat_t, int) Errno                       { return ENOSYS }
func (noKernel) Statfs(string, *Statfs_t) Errno                                { return ENOSYS }
func (noKernel) Fstatfs(int, *Statfs_t) Errno                                  { return ENOSYS }
func (noKernel) Faccessat(int, string, uint32, int) Errno                      { return ENOSYS }
func (noKernel) Readlinkat(int, string, []byte) (int, Errno)                   { return 0, ENOSYS }
func (noKernel) Mkdirat(int, string, uint32) Errno                             { return ENOSYS }
func (noKernel) Mknodat(int, string, uint32, int) Errno                        { return ENOSYS }
func (noKernel) Unlinkat(int, string, int) Errno                               { return ENOSYS }
func (noKernel) Renameat2(int, string, int, string, uint32) Errno              { return ENOSYS }
func (noKernel) Linkat(int, string, int, string, int) Errno                    { return ENOSYS }
func (noKernel) Symlinkat(string, int, string) Errno                           { return ENOSYS }
func (noKernel) Truncate(string, int64) Errno                                  { return ENOSYS }
func (noKernel) Fchmod(int, uint32) Errno                                      { return ENOSYS }
func (noKernel) Fchmodat(int, string, uint32, int) Errno                       { return ENOSYS }
func (noKernel) Fchown(int, int, int) Errno                                    { return ENOSYS }
func (noKernel) Fchownat(int, string, int, int, int) Errno                     { return ENOSYS }
func (noKernel) Utimensat(int, string, *[2]Timespec, int) Errno                { return ENOSYS }
func (noKernel) Getxattr(string, string, []byte, bool) (int, Errno)            { return 0, ENOSYS }
func (noKernel) Setxattr(string, string, []byte, int, bool) Errno              { return ENOSYS }
func (noKernel) Listxattr(string, []byte, bool) (int, Errno)                   { return 0, ENOSYS }
func (noKernel) Removexattr(string, string, bool) Errno                        { return ENOSYS }
func (noKernel) Fgetxattr(int, string, []byte) (int, Errno)                    { return 0, ENOSYS }
func (noKernel) Fsetxattr(int, string, []byte, int) Errno                      { return ENOSYS }
func (noKernel) Flistxattr(int, []byte) (int, Errno)                           { return 0, ENOSYS }
func (noKernel) Fremovexattr(int, string) Errno                                { return ENOSYS }
func (noKernel) Getcwd() (string, Errno)                                       { return "", ENOSYS }
func (noKernel) Chdir(string) Errno                                            { return ENOSYS }
func (noKernel) Fchdir(int) Errno                                              { return ENOSYS }
func (noKernel) Chroot(string) Errno                                           { return ENOSYS }
func (noKernel) Mount(string, string, string, uintptr, string) Errno           { return ENOSYS }
func (noKernel) Unmount(string, int) Errno                                     { return ENOSYS }
