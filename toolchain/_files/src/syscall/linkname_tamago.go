//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// Used by os.
//
//go:linkname hostname

// Used by internal/syscall/unix.
//
//go:linkname fcntl
//go:linkname fstatat
//go:linkname renameat2
//go:linkname readlinkat
//go:linkname unlinkat
//go:linkname linkat
//go:linkname symlinkat
//go:linkname utimensat
//go:linkname copyFileRange

// Used by golang.org/x/sys/unix of guests, with most of those above.
//
//go:linkname ioctl
//go:linkname poll
//go:linkname statx

// Used by internal/poll.
//
//go:linkname waitIO
//go:linkname interruptIO
//go:linkname deadlineIO
