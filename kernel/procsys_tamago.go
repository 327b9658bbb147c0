//go:build tamago

package kernel

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs"
)

// hostname is the name of the machine where the launcher gives it none.
const hostname = "yolk"

// sysFixed are files of /proc/sys, in the format of procfs.FS.RegisterFixed.
const sysFixed = `sys/kernel/cap_last_cap=40
;
sys/kernel/core_pattern=core
;
sys/kernel/ngroups_max=65536
;
sys/kernel/overflowgid=65534
;
sys/kernel/overflowuid=65534
;
sys/kernel/pid_max=32768
;
sys/kernel/random/entropy_avail=256
;
sys/kernel/random/poolsize=256
;
sys/kernel/randomize_va_space=0
;
sys/kernel/tainted=0
;
sys/kernel/threads-max=32768
;
sys/fs/inotify/max_queued_events=16384
;
sys/fs/inotify/max_user_instances=128
;
sys/fs/inotify/max_user_watches=65536
;
sys/net/core/rmem_max=212992
;
sys/net/core/somaxconn=4096
;
sys/net/core/wmem_max=212992
;
sys/net/ipv4/ip_local_port_range=32768	60999
;
sys/vm/max_map_count=65530
;
sys/vm/mmap_min_addr=4096
;
sys/vm/nr_hugepages=0
;
sys/vm/overcommit_memory=0
;
sys/vm/overcommit_ratio=50
;
sys/vm/swappiness=0
;
`

// registerSys fills /proc/sys.
func (m *machine) registerSys() {
	p := m.proc
	u := m.uname()
	const maxFiles = 1 << 20 // of the table of descriptors
	p.RegisterFixed(sysFixed)
	limit := strconv.Itoa(maxFiles)
	for _, f := range [...][2]string{
		{"kernel/arch", u.machine}, {"kernel/domainname", u.domainname}, {"kernel/osrelease", u.release}, {"kernel/ostype", u.sysname}, {"kernel/version", u.version},
		{"fs/file-max", limit}, {"fs/nr_open", limit}, {"fs/pipe-max-size", strconv.Itoa(fs.PipeMax)},
	} {
		p.RegisterLine("sys/"+f[0], f[1])
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
type system struct{ sysname, nodename, release, version, machine, domainname string }

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
	return system{text(&u.Sysname), text(&u.Nodename), text(&u.Release), text(&u.Version), text(&u.Machine), text(&u.Domainname)}
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
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
