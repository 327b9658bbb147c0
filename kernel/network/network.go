// Package network gives a program the sockets of the internet, and brings up the
// network devices. It is linked into images of programs that have package net.
package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/yolkos/yolk/netstack"
)

// configure reads the launcher's settings of the first interface (kernel.flags).
// What is wrong with one is left out, and told.
func configure(c *netstack.Config, setting func(key string) string) (problems []error) {
	for _, word := range strings.Fields(setting("net.ip")) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			problems = append(problems, fmt.Errorf("launcher's setting net.ip=%s: no address with the length of its prefix", word))
			continue
		}
		c.Addresses = append(c.Addresses, p)
	}
	c.Gateways = addresses("net.gateway", setting, &problems)
	c.Servers = addresses("net.dns", setting, &problems)
	c.Search = strings.Fields(setting("net.search"))
	c.Hostname = setting("net.hostname")
	return problems
}

func addresses(key string, setting func(string) string, problems *[]error) (list []netip.Addr) {
	for _, word := range strings.Fields(setting(key)) {
		a, err := netip.ParseAddr(word)
		if err != nil {
			*problems = append(*problems, fmt.Errorf("launcher's setting %s=%s: no address", key, word))
			continue
		}
		list = append(list, a)
	}
	return list
}
