// Program quota fills /data until it may have no more, and goes on when it has let go of some.
package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

func main() {
	mib := make([]byte, 1<<20)
	f, err := os.Create("/data/fill")
	n, total := 0, 0
	for err == nil && total < 64<<20 { // else there is no quota
		n, err = f.Write(mib)
		total += n
	}
	fmt.Println("filled:", total > 0, errors.Is(err, syscall.EDQUOT), err)
	fmt.Println("another file:", os.WriteFile("/data/another", mib, 0o644))
	info, err := f.Stat()
	fmt.Println("what is there:", info.Size() == int64(total), err, f.Close())
	fmt.Println("removed:", os.Remove("/data/fill"))
	fmt.Println("another file:", os.WriteFile("/data/another", mib, 0o644))
}
