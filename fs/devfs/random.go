package devfs

import (
	"encoding/binary"
	"syscall"
)

// Requests of random(4), from linux/random.h.
const (
	rndGetEntCnt   = 0x80045200
	rndAddToEntCnt = 0x40045201
	rndAddEntropy  = 0x40085203
	rndZapEntCnt   = 0x5204
	rndClearPool   = 0x5206
	rndReseedCRNG  = 0x5207
)

// poolBits is what Linux tells of its pool once that is full, as it always is here:
// the bytes come from the host.
const poolBits = 256

// controlRandom does the requests of random and urandom. Entropy that a program has
// to give is taken and not needed. Others are EINVAL, as of Linux.
func controlRandom(cmd uint32, in, out []byte) error {
	switch cmd {
	case rndGetEntCnt:
		binary.NativeEndian.PutUint32(out, poolBits)
	case rndAddToEntCnt, rndAddEntropy: // both begin with a number of bits
		if int32(binary.NativeEndian.Uint32(in)) < 0 {
			return syscall.EINVAL
		}
	case rndZapEntCnt, rndClearPool, rndReseedCRNG:
	default:
		return syscall.EINVAL
	}
	return nil
}
