//go:build tamago

package kernel

import (
	"encoding/hex"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs"
)

// hostname is the name of the machine.
const hostname = "yolk"

// registerSys fills /proc/sys.
func (m *machine) registerSys() {
	p := m.proc
	u := m.uname()
	const maxFiles = 1 << 20 // of the table of descriptors
	for name, text := range map[string]string{
		"kernel/cap_last_cap":       "40",
		"kernel/core_pattern":       "core",
		"kernel/domainname":         u.domainname,
		"kernel/ngroups_max":        "65536",
		"kernel/osrelease":          u.release,
		"kernel/ostype":             u.sysname,
		"kernel/overflowgid":        "65534",
		"kernel/overflowuid":        "65534",
		"kernel/pid_max":            "32768",
		"kernel/randomize_va_space": "0",
		"kernel/tainted":            "0",
		"kernel/threads-max":        "32768",
		"kernel/version":            u.version,

		"kernel/random/entropy_avail": "256",
		"kernel/random/poolsize":      "256",

		"fs/file-max":      strconv.Itoa(maxFiles),
		"fs/nr_open":       strconv.Itoa(maxFiles),
		"fs/pipe-max-size": strconv.Itoa(fs.PipeSize),

		"fs/inotify/max_queued_events":  "16384",
		"fs/inotify/max_user_instances": "128",
		"fs/inotify/max_user_watches":   "65536",

		"net/core/rmem_max":            "212992",
		"net/core/somaxconn":           "4096",
		"net/core/wmem_max":            "212992",
		"net/ipv4/ip_local_port_range": "32768\t60999",

		"vm/max_map_count":     "65530",
		"vm/mmap_min_addr":     "4096",
		"vm/nr_hugepages":      "0",
		"vm/overcommit_memory": "0",
		"vm/overcommit_ratio":  "50",
		"vm/swappiness":        "0",
	} {
		p.RegisterLine("sys/"+name, text)
	}
	boot := sync.OnceValue(newUUID)
	p.Register("sys/kernel/random/boot_id", func(b []byte) []byte { return append(append(b, boot()...), '\n') })
	p.Register("sys/kernel/random/uuid", func(b []byte) []byte { return append(append(b, newUUID()...), '\n') })
	p.Register("sys/kernel/hostname", m.appendHostname)
	p.Register("sys/fs/file-nr", func(b []byte) []byte {
		b = strconv.AppendInt(b, int64(len(m.calls.Descriptors())), 10)
		return append(strconv.AppendInt(append(b, "\t0\t"...), maxFiles, 10), '\n')
	})
}

// appendHostname is /proc/sys/kernel/hostname, and /etc/hostname.
func (m *machine) appendHostname(b []byte) []byte {
	return append(append(b, m.uname().nodename...), '\n')
}

// system is what uname(2) tells.
type system struct{ sysname, nodename, release, version, domainname string }

func (m *machine) uname() system {
	var u syscall.Utsname
	m.calls.Uname(&u)
	text := func(field *[65]int8) string {
		var b []byte
		for _, c := range field {
			if c == 0 {
				break
			}
			b = append(b, byte(c))
		}
		return string(b)
	}
	return system{text(&u.Sysname), text(&u.Nodename), text(&u.Release), text(&u.Version), text(&u.Domainname)}
}

// version is /proc/version.
func (m *machine) version() string {
	u := m.uname()
	return u.sysname + " version " + u.release + " (yolk@" + u.nodename + ") (" + runtime.Version() + ") " + u.version
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var u [16]byte
	amd64.Random(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	b := hex.AppendEncode(nil, u[:4])
	for _, part := range [][]byte{u[4:6], u[6:8], u[8:10], u[10:]} {
		b = hex.AppendEncode(append(b, '-'), part)
	}
	return string(b)
}
