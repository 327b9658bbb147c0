//go:build tamago

package sysrand

import _ "unsafe" // for go:linkname

//go:linkname getRandomData runtime.getRandomData
//go:noescape
func getRandomData(b []byte)

func read(b []byte) error {
	getRandomData(b)
	return nil
}
