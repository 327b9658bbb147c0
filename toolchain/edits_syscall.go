package toolchain

import "slices"

func init() { tables = append(tables, syscallEdits) }

// take is a Take for each file.
func take(why string, files ...string) []Edit {
	var edits []Edit
	for _, file := range files {
		edits = append(edits, Take{"src/" + file, why})
	}
	return edits
}

// syscallEdits make package syscall, and what stands directly on it, Linux's:
// its numbers, structures and functions are those of the user's own GOROOT. The
// files that _files adds hold what is behind a system call, and the calls that
// programs make most, which get there without a number.
var syscallEdits = slices.Concat(
	take("Linux's tables, structures and functions",
		"syscall/exec_linux.go",
		"syscall/flock_linux.go",
		"syscall/lsf_linux.go",
		"syscall/netlink_linux.go",
		"syscall/setuidgid_linux.go",
		"syscall/sockcmsg_linux.go",
		"syscall/syscall_linux.go",
		"syscall/syscall_linux_amd64.go",
		"syscall/zerrors_linux_amd64.go",
		"syscall/zsyscall_linux_amd64.go",
		"syscall/zsysnum_linux_amd64.go",
		"syscall/ztypes_linux_amd64.go",
	),
	widen("what Linux shares with other unix systems",
		"syscall/badlinkname_unix.go",
		"syscall/dirent.go",
		"syscall/env_unix.go",
		"syscall/exec_unix.go",
		"syscall/forkpipe2.go",
		"syscall/linkname_unix.go",
		"syscall/rlimit.go",
		"syscall/rlimit_stub.go",
		"syscall/sockcmsg_unix.go",
		"syscall/sockcmsg_unix_other.go",
		"syscall/syscall_unix.go",
		"syscall/timestruct.go",
	),
	[]Edit{
		Remove{"src/syscall/syscall_tamago.go",
			[]string{"runtime_entersyscall", "runtime_exitsyscall", "RawSyscall", "RawSyscall6", "Syscall", "Syscall6",
				"rawSyscallNoError", "rawVforkSyscall", "runtime_doAllThreadsSyscall"},
			"call_tamago.go has them"},
		Replace{"src/syscall/syscall_tamago.go", "\t\"internal/runtime/syscall/linux\"\n", "", 1, "see above"},
		Remove{"src/syscall/syscall_tamago_amd64.go", []string{"Stat", "Lstat", "gettimeofday"}, "hot_tamago.go and call_tamago.go have them"},
		Remove{"src/syscall/zsyscall_tamago_amd64.go",
			[]string{"openat", "Close", "read", "write", "pread", "pwrite", "Seek", "Getdents", "Fstat", "fstatat",
				"Mkdirat", "unlinkat", "Renameat", "Getcwd"},
			"hot_tamago.go has them"},
		Replace{"src/syscall/exec_unix.go", "func forkExec(argv0 string, argv []string, attr *ProcAttr) (pid int, err error) {\n", "func forkExec(argv0 string, argv []string, attr *ProcAttr) (pid int, err error) {\n\tif oneProgram {\n\t\treturn 0, errOneProgram\n\t}\n", 1,
			"there are no processes, and none of this is linked in"},
		Replace{"src/syscall/exec_unix.go", "func Exec(argv0 string, argv []string, envv []string) (err error) {\n", "func Exec(argv0 string, argv []string, envv []string) (err error) {\n\tif oneProgram {\n\t\treturn errOneProgram\n\t}\n", 1,
			"see above"},
	},
	take("Linux's calls, by number",
		"internal/syscall/unix/at_sysnum_linux.go",
		"internal/syscall/unix/at_sysnum_newfstatat_linux.go",
		"internal/syscall/unix/fchmodat_linux.go",
		"internal/syscall/unix/kernel_version_linux.go",
		"internal/syscall/unix/renameat_sysnum_linux.go",
		"internal/syscall/unix/sysnum_linux_amd64.go",
	),
	widen("what Linux shares with other unix systems",
		"internal/syscall/unix/at.go",
		"internal/syscall/unix/at_fstatat.go",
		"internal/syscall/unix/copy_file_range_unix.go",
		"internal/syscall/unix/faccessat_syscall.go",
		"internal/syscall/unix/net.go",
		"internal/syscall/unix/utimes.go",
	),
	[]Edit{
		Narrow{"src/internal/syscall/unix/kernel_version_other.go", "the version is Linux's"},
	},
	take("files as Linux has them",
		"os/dirent_linux.go",
		"os/stat_linux.go",
		"os/sys_linux.go",
	),
)
