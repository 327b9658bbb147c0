//go:build tamago

package lab

const inGuest = true

func limitHost() {}
