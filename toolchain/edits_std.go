package toolchain

import "slices"

func init() { tables = append(tables, stdEdits) }

// widen is a Widen for each file.
func widen(why string, files ...string) []Edit {
	var edits []Edit
	for _, file := range files {
		edits = append(edits, Widen{"src/" + file, why})
	}
	return edits
}

// stdEdits give the standard library the target. It is no unix for build tags,
// so what it shares with the unix systems is named here.
var stdEdits = slices.Concat(
	widen("error numbers, environment, times and directory entries are those of Linux",
		"syscall/dirent.go",
		"syscall/env_unix.go",
		"syscall/timestruct.go",
	),
	[]Edit{
		Replace{"src/syscall/dirent.go", `runtime.GOOS != "linux"`, `runtime.GOOS != "tamago" && runtime.GOOS != "linux"`, 1,
			"a file may have inode number 0, as on Linux"},
		Replace{"src/os/dir_unix.go", `runtime.GOOS != "linux"`, `runtime.GOOS != "tamago" && runtime.GOOS != "linux"`, 1,
			"a file may have inode number 0, as on Linux"},
	},
	widen("files are descriptors, and paths those of unix",
		"internal/filepathlite/path_unix.go",
		"internal/poll/fd_fsync_posix.go",
		"internal/poll/fd_posix.go",
		"internal/poll/fd_unix.go",
		"internal/poll/fd_unixjs.go",
		"internal/poll/fstatat_unix.go",
		"internal/poll/hook_unix.go",
		"internal/poll/sys_cloexec.go",
		"internal/syscall/unix/constants.go",
		"internal/syscall/unix/eaccess.go",
		"internal/syscall/unix/nofollow_posix.go",
		"internal/syscall/unix/nonblocking_unix.go",
		"os/dir_unix.go",
		"os/eloop_other.go",
		"os/exec_posix.go",
		"os/exec_unix.go",
		"os/file_open_unix.go",
		"os/file_posix.go",
		"os/file_unix.go",
		"os/path_unix.go",
		"os/pidfd_other.go",
		"os/pipe2_unix.go",
		"os/removeall_at.go",
		"os/removeall_unix.go",
		"os/root_openat.go",
		"os/root_unix.go",
		"os/stat_unix.go",
		"os/statat_unix.go",
		"os/sys_unix.go",
		"os/wait_unimp.go",
		"os/zero_copy_posix.go",
		"path/filepath/path_unix.go",
	),
	[]Edit{
		Replace{"src/os/file_unix.go", "\t\tif nonBlocking {\n\t\t\t// See", "\t\tif nonBlocking || runtime.GOOS == \"tamago\" {\n\t\t\t// See", 1,
			"deadlines and Close end calls that block: no need to ask for O_NONBLOCK"},
	},
	widen("time zones are files of the root",
		"time/sys_unix.go",
		"time/zoneinfo_unix.go",
	),
)
