package usernet

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The host's files about names.
const (
	resolvConf = "/etc/resolv.conf"
	hostsFile  = "/etc/hosts"
)

// checkInterval is how long a file is believed not to have changed.
const checkInterval = 5 * time.Second

// watched is what a file says, which may change.
type watched[T any] struct {
	name  string
	parse func(text string) T

	mu       sync.Mutex
	value    T
	read     bool
	checked  time.Time
	modified time.Time
	size     int64
}

// get returns what the file says; one that cannot be read says nothing.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.read && now.Sub(w.checked) < checkInterval {
		return w.value
	}
	w.checked = now
	info, err := os.Stat(w.name)
	if err == nil && w.read && info.ModTime().Equal(w.modified) && info.Size() == w.size {
		return w.value
	}
	text := ""
	if err == nil {
		w.modified, w.size = info.ModTime(), info.Size()
		data, err := os.ReadFile(w.name)
		if err == nil {
			text = string(data)
		}
	}
	w.value, w.read = w.parse(text), true
	return w.value
}

// resolvConfig is resolv.conf(5).
type resolvConfig struct {
	servers  []netip.AddrPort
	search   []string
	timeout  time.Duration
	attempts int
}

// Limits of resolv.conf(5): MAXNS, RES_MAXRETRANS, RES_MAXRETRY.
const (
	mostServers  = 3
	mostTimeout  = 30
	mostAttempts = 5
)

func parseResolvConf(text string) resolvConfig {
	c := resolvConfig{timeout: 5 * time.Second, attempts: 2}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0][0] == '#' || words[0][0] == ';' {
			continue
		}
		switch words[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(words[1]); err == nil && len(c.servers) < mostServers {
				c.servers = append(c.servers, netip.AddrPortFrom(a, dnsPort))
			}
		case "domain", "search": // the last one counts
			c.search = nil
			for _, d := range words[1:] {
				if d = strings.TrimSuffix(d, "."); d != "" {
					c.search = append(c.search, d)
				}
			}
		case "options":
			for _, option := range words[1:] {
				name, value, _ := strings.Cut(option, ":")
				n, err := strconv.Atoi(value)
				if err != nil || n < 1 {
					continue
				}
				switch name {
				case "timeout":
					c.timeout = time.Duration(min(n, mostTimeout)) * time.Second
				case "attempts":
					c.attempts = min(n, mostAttempts)
				}
			}
		}
	}
	if len(c.servers) == 0 {
		c.servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort)}
	}
	return c
}

// SearchDomains returns the domains in which the host looks for short names.
func SearchDomains() []string {
	data, err := os.ReadFile(resolvConf)
	if err != nil {
		return nil
	}
	return parseResolvConf(string(data)).search
}

// hostNames is hosts(5): the addresses of names in lower case.
type hostNames map[string][]netip.Addr

func parseHosts(text string) hostNames {
	h := hostNames{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		a, err := netip.ParseAddr(words[0])
		if err != nil || a.Zone() != "" {
			continue
		}
		a = a.Unmap()
		for _, name := range words[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			if !slices.Contains(h[name], a) {
				h[name] = append(h[name], a)
			}
		}
	}
	return h
}
