// Package roots gives programs that check certificates roots of trust where neither
// their root nor the host has any: those of Mozilla, as golang.org/x/crypto/x509roots
// has them. It is linked only into images of programs that have crypto/x509. The file
// with the certificates is bundle_tamago.go, which yolk adds when it unpacks the
// kernel's module.
package roots
