// Package knows has a file for tamago.
package knows

const Name = "tamago"
