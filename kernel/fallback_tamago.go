//go:build tamago

package kernel

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// What programs expect of any Linux, and few roots have, the kernel gives as the
// fallback of the tree (fs.VFS.SetFallback): files of /etc and time zones, from
// the host where the launcher has them, a few files of /sys, and the program's image.

// roots are roots of trust, in the format of ca-certificates.crt, of images that have
// package kernel/roots.
//
//go:linkname roots
var roots string

const ramfsMagic = 0x858458f6 // RAMFS_MAGIC of linux/magic.h

func (m *machine) setFallback() {
	f := synth.New("ramfs", ramfsMagic)
	f.Dir().FillOnUse(func() {
		f.Dir().Add("etc", m.newEtc(f))
		f.Dir().Add("sys", m.newSys(f))
		f.Dir().Add("usr/share/mime/globs2", m.hostNode(f, "usr/share/mime/globs2", ""))
		f.Dir().Add("usr/share/zoneinfo", m.hostNode(f, "usr/share/zoneinfo", ""))
		if name := imagePath()[1:]; f.Dir().Has(name) {
			m.logf("/%s is not the program: it has the name of a directory that programs expect", name)
		} else {
			f.Dir().Add(name, m.hostNode(f, imageName, ""))
		}
	})
	m.vfs.SetFallback(f)
}

// readHost asks the launcher for part of a file.
func (m *machine) readHost(name string, off int64, count int) fileData {
	if m.streams.link == nil {
		return fileData{errno: syscall.ENOENT}
	}
	return m.streams.link.readFile(name, off, count)
}

func (m *machine) hostNode(f *synth.FS, name, own string) *hostNode {
	n := newHostNode(f, name, m.readHost)
	n.own = own
	return n
}

// newEtc makes /etc.
func (m *machine) newEtc(f *synth.FS) *synth.Dir {
	etc := f.NewDir(0o755)
	etc.FillOnUse(func() {
		host := m.uname().nodename
		for _, x := range [...][2]string{
			{"group", "root:x:0:\nnogroup:x:65534:\n"},
			{"localtime", ""},
			{"mime.types", ""},
			{"passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
			{"protocols", "icmp\t1\tICMP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6-icmp\t58\tIPv6-ICMP\n"},
			{"services", ""},
			{"ssl/certs/ca-certificates.crt", roots},
		} {
			etc.Add(x[0], m.hostNode(f, "etc/"+x[0], x[1]))
		}
		hosts := m.hostNode(f, "etc/hosts", "127.0.0.1\tlocalhost "+host+"\n::1\tlocalhost\n")
		hosts.change = func(b []byte) []byte { return append(b, "\n127.0.0.1\t"+host+"\n"...) }
		etc.Add("hosts", hosts)
		etc.Add("hostname", f.NewText(m.appendHostname))
		etc.Add("mtab", f.NewLink("/proc/self/mounts"))
		for _, x := range [...][2]string{
			{"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"},
			{"os-release", "NAME=Yolk\nID=yolk\nPRETTY_NAME=Yolk\n"},
		} {
			etc.Add(x[0], f.NewText(func(b []byte) []byte { return append(b, x[1]...) }))
		}
		m.addProvided(f, "etc", etc)
	})
	return etc
}

// newSys makes /sys, as much as programs read of it.
func (m *machine) newSys(f *synth.FS) *synth.Dir {
	sys := f.NewDir(0o555)
	line := func(name, text string) {
		sys.Add(name, f.NewText(func(b []byte) []byte { return append(append(b, text...), '\n') }))
	}
	sys.FillOnUse(func() {
		for _, empty := range [...]string{"block", "class/block", "class/hwmon", "class/net", "class/power_supply", "class/thermal"} {
			sys.Add(empty, f.NewDir(0o555))
		}
		n := amd64.CPUs()
		cpus := "0"
		if n > 1 {
			cpus += "-" + strconv.Itoa(n-1)
		}
		for _, x := range [...][2]string{
			{"devices/system/cpu/online", cpus}, {"devices/system/cpu/possible", cpus}, {"devices/system/cpu/present", cpus},
			{"devices/system/cpu/offline", ""}, {"devices/system/node/node0/cpulist", cpus},
			{"devices/system/node/online", "0"}, {"devices/system/node/possible", "0"},
			{"kernel/mm/transparent_hugepage/enabled", "always madvise [never]"},
			{"kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152"},
		} {
			line(x[0], x[1])
		}
		for i := range n {
			id := strconv.Itoa(i)
			for _, x := range [...][2]string{
				{"core_cpus_list", id}, {"core_id", id}, {"core_siblings_list", cpus}, {"package_cpus_list", cpus},
				{"physical_package_id", "0"}, {"thread_siblings_list", id},
			} {
				line("devices/system/cpu/cpu"+id+"/topology/"+x[0], x[1])
			}
			sys.Add("devices/system/node/node0/cpu"+id, f.NewLink("../../cpu/cpu"+id))
		}
		m.addProvided(f, "sys", sys)
	})
	return sys
}

// imagePath is where programs find their image: below /, under the name that they
// were started with.
func imagePath() string {
	name := os.Args[0]
	if name = name[strings.LastIndexByte(name, '/')+1:]; validName(name) {
		return "/" + name
	}
	return "/yolk"
}

// executable is the path of the image, and its place with a reference. Where the
// root has something else by that name, it is a file of /proc.
func (m *machine) executable() (string, *fs.Dentry) {
	for _, path := range []string{imagePath(), "/proc/yolk/exe"} {
		d, err := m.vfs.Walk(fs.Base{}, path, false)
		if err != nil {
			continue
		}
		if n, ok := d.Node().(*hostNode); ok && n.isImage() {
			return path, d
		}
		d.Put()
	}
	return "", nil
}
