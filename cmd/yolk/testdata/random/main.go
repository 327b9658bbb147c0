// Program random prints a number of the runtime's, then what /dev/urandom and
// crypto/rand give.
package main

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
)

func main() {
	fmt.Printf("runtime %x\n", mathrand.Uint64())
	b := make([]byte, 16)
	f, err := os.Open("/dev/urandom")
	if err == nil {
		_, err = f.Read(b)
	}
	fmt.Printf("device %x %v\n", b, err)
	rand.Read(b)
	fmt.Printf("crypto %x\n", b)
}
