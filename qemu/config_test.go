package qemu

import (
	"slices"
	"strings"
	"testing"
)

// full is a configuration with everything in it.
func full(m Machine, a Accel) *Config {
	return &Config{
		Machine: m, Accel: a, Memory: 256 << 20, Kernel: "/dev/fd/3", Append: "a,b c",
		Control: 4, Console: 5, Stdin: 6, Stdout: 7, Stderr: 8,
		Files:  []File{{Name: "opt/yolk/args", FD: 9}},
		Shares: []ShareFD{{Tag: "root", FD: 10}, {Tag: "a,b", FD: 11}},
	}
}

func TestArgs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config *Config
		has    []string // options, or an option and its value
		not    []string
	}{
		{"microvm", full(MicroVM, TCG), []string{
			"-nodefaults", "-no-user-config", "-display none", "-no-reboot", "-bios qboot.rom",
			"-machine microvm,accel=tcg,memory-backend=mem,pit=on,rtc=on,pic=off,isa-serial=on,acpi=off,pcie=off,x-option-roms=off",
			"-cpu max", "-smp 1,maxcpus=2", "-m 256M", "-object memory-backend-memfd,id=mem,size=256M,share=on",
			"-kernel /dev/fd/3", "-append a,b c", "-global virtio-mmio.force-legacy=false",
			"-device isa-debug-exit,iobase=0xf4,iosize=0x04",
			"-chardev socket,id=ctl,fd=4", "-device isa-debugcon,iobase=0xe9,chardev=ctl",
			"-chardev socket,id=uart,fd=5", "-serial chardev:uart",
			"-device virtio-serial-device,id=vserial,max_ports=4",
			"-chardev socket,id=stdin,fd=6", "-device virtserialport,bus=vserial.0,nr=1,chardev=stdin,name=yolk.stdin",
			"-chardev socket,id=stdout,fd=7", "-device virtserialport,bus=vserial.0,nr=2,chardev=stdout,name=yolk.stdout",
			"-chardev socket,id=stderr,fd=8", "-device virtserialport,bus=vserial.0,nr=3,chardev=stderr,name=yolk.stderr",
			"-fw_cfg name=opt/yolk/args,file=/dev/fd/9",
			"-chardev socket,id=fs0,fd=10", "-device vhost-user-fs-device,queue-size=1024,chardev=fs0,tag=root",
			"-chardev socket,id=fs1,fd=11", "-device vhost-user-fs-device,queue-size=1024,chardev=fs1,tag=a,,b",
		}, []string{"-pci"}},
		{"q35", full(Q35, KVM), []string{
			"-machine q35,accel=kvm,memory-backend=mem", "-cpu host", "-smp 1",
			"-device virtio-serial-pci,disable-legacy=on,id=vserial,max_ports=4",
			"-device vhost-user-fs-pci,queue-size=1024,chardev=fs0,tag=root",
		}, []string{"virtio-mmio", "serial-device", "fs-device"}},
		{"profile", &Config{Machine: Q35, Accel: TCG, Memory: 64 << 20, Kernel: "k", Stdin: 3, Stdout: 4, Stderr: 5, Profile: 6}, []string{
			"-device virtio-serial-pci,disable-legacy=on,id=vserial,max_ports=5",
			"-chardev socket,id=profile,fd=6", "-device virtserialport,bus=vserial.0,nr=4,chardev=profile,name=yolk.profile",
		}, nil},
		{"locks", &Config{Machine: Q35, Accel: TCG, Memory: 64 << 20, Kernel: "k", Stdin: 3, Stdout: 4, Stderr: 5, Profile: 6, Locks: 7}, []string{
			"-device virtio-serial-pci,disable-legacy=on,id=vserial,max_ports=6",
			"-device virtserialport,bus=vserial.0,nr=4,chardev=profile,name=yolk.profile",
			"-chardev socket,id=locks,fd=7", "-device virtserialport,bus=vserial.0,nr=5,chardev=locks,name=yolk.locks",
		}, nil},
		{"time", &Config{Machine: Q35, Accel: TCG, Memory: 64 << 20, Kernel: "k", Stdin: 3, Stdout: 4, Stderr: 5, Time: 6, Profile: 7}, []string{
			"-device virtio-serial-pci,disable-legacy=on,id=vserial,max_ports=6",
			"-chardev socket,id=time,fd=6", "-device virtserialport,bus=vserial.0,nr=4,chardev=time,name=yolk.time",
			"-device virtserialport,bus=vserial.0,nr=5,chardev=profile,name=yolk.profile",
		}, nil},
		{"count", &Config{Machine: MicroVM, Accel: TCG, Memory: 64 << 20, Kernel: "k", Count: true}, []string{
			"-icount shift=0,sleep=off", "-rtc base=2026-01-01T00:00:00,clock=vm", "-cpu max,x2apic=off,tcg-cpuid=off,rdrand=off,rdseed=off",
		}, nil},
		{"debug", &Config{Machine: MicroVM, Accel: TCG, Memory: 64 << 20, Kernel: "k", Debug: 3}, []string{
			"-S", "-chardev socket,id=gdb,fd=3,server=on,wait=off", "-gdb chardev:gdb",
		}, nil},
		{"extra", &Config{Machine: Q35, Accel: TCG, Memory: 64 << 20, Kernel: "k", Extra: []string{"-device", "pcie-root-port,id=p"}}, []string{"-device pcie-root-port,id=p"}, nil},
		{"bare", &Config{Machine: Q35, Accel: TCG, Memory: 64 << 20, Kernel: "k"}, []string{"-m 64M", "-kernel k"},
			[]string{"-append", "chardev", "-serial", "virtio", "fw_cfg", "-S", "-gdb"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.config.Args()
			for _, want := range tt.has {
				option, value, two := strings.Cut(want, " ")
				found := slices.ContainsFunc(seq(len(args)), func(i int) bool {
					return args[i] == option && (!two || i+1 < len(args) && args[i+1] == value)
				})
				if !found {
					t.Errorf("no %s in %q", want, args)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(strings.Join(args, " "), not) {
					t.Errorf("%s in %q", not, args)
				}
			}
		})
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestCheckTag(t *testing.T) {
	for tag, ok := range map[string]bool{
		"root": true, "/": true, strings.Repeat("x", 36): true,
		"": false, strings.Repeat("x", 37): false, "a\x00b": false,
	} {
		if err := CheckTag(tag); (err == nil) != ok {
			t.Errorf("tag %q: %v", tag, err)
		}
	}
	if err := CheckTag(strings.Repeat("x", 37)); !strings.Contains(err.Error(), "37 bytes") {
		t.Errorf("error %v does not tell the length", err)
	}
}

func TestParseMemory(t *testing.T) {
	for s, want := range map[string]uint64{
		"256M": 256 << 20, "64": 64 << 20, "5G": 5 << 30, "1g": 1 << 30, "64m": 64 << 20, "64MiB": 64 << 20,
		"64mb": 64 << 20, "3.5G": 3584 << 20, ".5g": 512 << 20, "1T": 1 << 40, "65536k": 64 << 20, "100.7": 100 << 20,
		"": 0, "0": 0, "20M": 20 << 20, "19M": 0, "19.99M": 0, "-1G": 0, "+1G": 0, "99999999999999999999G": 0, "M": 0, "G1": 0,
		"1.5.5G": 0, "1e3": 0, "infG": 0, "nan": 0, "0x40": 0, "1_000": 0, "64 M": 0, "64MM": 0, "64B": 0, "64iB": 0,
		"64i": 0, "64P": 0, "64%": 0, ".": 0, "999999999T": 0, "b": 0, "ib": 0,
	} {
		got, err := ParseMemory(s)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("ParseMemory(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
}

// A machine with as many shares as are said to fit has a place for each device.
func TestMaxShares(t *testing.T) {
	for _, m := range []Machine{MicroVM, Q35} {
		for _, network := range []bool{false, true} {
			c := Config{Machine: m, Stdin: 3, Stdout: 4, Stderr: 5, Random: true}
			if network {
				c.Net = &NetDevice{Stream: 6}
			}
			most := MaxShares(m, 0, network)
			for range most {
				c.Shares = append(c.Shares, ShareFD{"t", 9})
			}
			devices := 0
			for i, a := range c.Args() {
				if model, _, _ := strings.Cut(a, ","); c.Args()[max(i-1, 0)] == "-device" && model != "virtserialport" && !strings.HasPrefix(model, "isa-") {
					devices++
				}
			}
			if devices != busSlots[m] {
				t.Errorf("%s, network %t: %d shares and the other devices are %d, on a bus with %d places", m, network, most, devices, busSlots[m])
			}
		}
	}
}

func TestServerArgs(t *testing.T) {
	for _, tt := range []struct {
		server server
		want   string
	}{
		{server{path: "v", dialect: dialectC, files: 9, cache: ""}, `--fd=3 -o source=/a\,b\\c -o cache=auto -o xattr -o posix_lock -o flock -o announce_submounts -o sandbox=namespace -o log_level=err --rlimit-nofile=9`},
		{server{path: "v", dialect: dialectC, files: 9, cache: CacheNone, chroot: true}, `--fd=3 -o source=/a\,b\\c -o cache=none -o xattr -o posix_lock -o flock -o announce_submounts -o sandbox=chroot -o log_level=err --rlimit-nofile=9`},
		{server{path: "v", dialect: dialectRust, files: 9, cache: CacheNone, chroot: true}, `--fd=3 --shared-dir=/a,b\c --cache=never --xattr --announce-submounts --sandbox=chroot --log-level=error --rlimit-nofile=9`},
		{server{path: "v", dialect: dialectRust, files: 9, cache: CacheAuto, handles: true}, `--fd=3 --shared-dir=/a,b\c --cache=auto --xattr --announce-submounts --sandbox=namespace --log-level=error --rlimit-nofile=9 --inode-file-handles=never`},
	} {
		if got := strings.Join(tt.server.args(`/a,b\c`, 3), " "); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	shares := []Share{{Tag: "root", Dir: "/"}, {Tag: "a", Dir: "/", ReadOnly: true}}
	for files, want := range map[uint64]string{
		1000: "files.root=936\nreadonly.a=1\nfiles.a=936\n",
		0:    "readonly.a=1\n",
	} {
		if got := (server{files: files}).flags(shares); got != want {
			t.Errorf("a server with %d files: flags %q, want %q", files, got, want)
		}
	}
	if got, want := (server{files: 1000, dialect: dialectRust}).flags(shares[:1]), "files.root=360\n"; got != want {
		t.Errorf("flags %q, want %q", got, want)
	}
	if got := (server{files: 500, dialect: dialectRust}).flags(shares[:1]); got != "" {
		t.Errorf("flags %q for a server that has no descriptors to spare", got)
	}
	for help, want := range map[string]dialect{
		"    -o source=PATH   shared directory tree": dialectC,
		"  --shared-dir <SHARED_DIR>":                dialectRust,
		"something else":                             0,
	} {
		if got := dialectOf(help); got != want {
			t.Errorf("dialectOf(%q) = %v, want %v", help, got, want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	got := CommandLine("/bin/x", []string{"a=b", "", "it's", "a b"})
	if want := `/bin/x a=b '' 'it'\''s' 'a b'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
