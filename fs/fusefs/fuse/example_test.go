package fuse_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func ExampleParseDirent() {
	b := fuse.AppendDirent(nil, &fuse.Dirent{Ino: 7, Off: 1}, "hello.txt")
	d, name, n, err := fuse.ParseDirent(b)
	fmt.Printf("%d %s, %d of %d bytes, %v\n", d.Ino, name, n, len(b), err)
	_, _, _, err = fuse.ParseDirent(b[:30])
	fmt.Println(err)
	// Output:
	// 7 hello.txt, 40 of 40 bytes, <nil>
	// namelen runs past the end of the reply
}
