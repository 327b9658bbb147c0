//go:build tamago

package unix

// Control operations of terminals.
const (
	TCGETS     = 0x5401
	TCSETS     = 0x5402
	TCSETSW    = 0x5403
	TCSETSF    = 0x5404
	TCSBRK     = 0x5409
	TCXONC     = 0x540a
	TCFLSH     = 0x540b
	TIOCGPGRP  = 0x540f
	TIOCSPGRP  = 0x5410
	TIOCOUTQ   = 0x5411
	TIOCSTI    = 0x5412
	TIOCGWINSZ = 0x5413
	TIOCSWINSZ = 0x5414
	TIOCMGET   = 0x5415
	TIOCMSET   = 0x5418
	TIOCINQ    = 0x541b
	TIOCNOTTY  = 0x5422
	TIOCSCTTY  = 0x540e
	TIOCGSID   = 0x5429
	TIOCGPTN   = 0x80045430
	TIOCSPTLCK = 0x40045431
)

// Modes of input.
const (
	IGNBRK  = 0x1
	BRKINT  = 0x2
	IGNPAR  = 0x4
	PARMRK  = 0x8
	INPCK   = 0x10
	ISTRIP  = 0x20
	INLCR   = 0x40
	IGNCR   = 0x80
	ICRNL   = 0x100
	IUCLC   = 0x200
	IXON    = 0x400
	IXANY   = 0x800
	IXOFF   = 0x1000
	IMAXBEL = 0x2000
	IUTF8   = 0x4000
)

// Modes of output.
const (
	OPOST  = 0x1
	OLCUC  = 0x2
	ONLCR  = 0x4
	OCRNL  = 0x8
	ONOCR  = 0x10
	ONLRET = 0x20
	OFILL  = 0x40
	OFDEL  = 0x80
)

// Modes of the line.
const (
	CSIZE   = 0x30
	CS5     = 0x0
	CS6     = 0x10
	CS7     = 0x20
	CS8     = 0x30
	CSTOPB  = 0x40
	CREAD   = 0x80
	PARENB  = 0x100
	PARODD  = 0x200
	HUPCL   = 0x400
	CLOCAL  = 0x800
	CRTSCTS = 0x80000000
	CBAUD   = 0x100f
)

// Modes of the user.
const (
	ISIG    = 0x1
	ICANON  = 0x2
	ECHO    = 0x8
	ECHOE   = 0x10
	ECHOK   = 0x20
	ECHONL  = 0x40
	ECHOCTL = 0x200
	ECHOPRT = 0x400
	ECHOKE  = 0x800
	NOFLSH  = 0x80
	TOSTOP  = 0x100
	IEXTEN  = 0x8000
)

// Indices of control characters.
const (
	VINTR    = 0x0
	VQUIT    = 0x1
	VERASE   = 0x2
	VKILL    = 0x3
	VEOF     = 0x4
	VTIME    = 0x5
	VMIN     = 0x6
	VSWTC    = 0x7
	VSTART   = 0x8
	VSTOP    = 0x9
	VSUSP    = 0xa
	VEOL     = 0xb
	VREPRINT = 0xc
	VDISCARD = 0xd
	VWERASE  = 0xe
	VLNEXT   = 0xf
	VEOL2    = 0x10
)
