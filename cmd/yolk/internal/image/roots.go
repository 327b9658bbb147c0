package image

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsFile is the file of package kernel/roots that is made of the certificates. The
// kernel finds them by the name of a variable of its own.
func rootsFile() []byte {
	const head = "package roots\n\nimport (\n\t_ \"unsafe\" // for go:linkname\n\n\t_ \"" + kernelPackage + "\"\n)\n\n" +
		"//go:linkname bundle " + kernelPackage + ".roots\nvar bundle = `"
	return append(append([]byte(head), rootsPEM()...), "`\n"...)
}

// rootsPEM are the roots of trust in the format of ca-certificates.crt. Those that are
// trusted under conditions only, of which the format cannot tell, are left out.
func rootsPEM() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer takes all
		}
	}
	return b.Bytes()
}
