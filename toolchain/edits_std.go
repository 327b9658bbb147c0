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
	widen("files are descriptors, and paths those of unix",
		"internal/filepathlite/path_unix.go",
		"internal/poll/copy_file_range_unix.go",
		"internal/poll/fd_fsync_posix.go",
		"internal/poll/fd_posix.go",
		"internal/poll/fd_unix.go",
		"internal/poll/fd_unixjs.go",
		"internal/poll/fstatat_unix.go",
		"internal/poll/hook_unix.go",
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
	take("files as Linux copies them",
		"internal/poll/copy_file_range_linux.go",
		"os/zero_copy_linux.go",
	),
	[]Edit{
		Replace{"src/os/file_unix.go", "\t\tif nonBlocking {\n\t\t\t// See", "\t\tif nonBlocking || goos.IsTamago == 1 {\n\t\t\t// See", 1,
			"deadlines and Close end calls that block: no need to ask for O_NONBLOCK"},
		Replace{"src/os/file_unix.go", "\t\"internal/poll\"\n", "\t\"internal/goos\"\n\t\"internal/poll\"\n", 1, "see above"},
		Narrow{"src/os/zero_copy_stub.go", "see above"},
	},
	widen("time zones are files of the root",
		"time/sys_unix.go",
		"time/zoneinfo_unix.go",
	),
	widen("signals come from syscall.Kill; nothing is executed; users are those of the root's /etc/passwd",
		"os/signal/signal_unix.go",
		"os/exec/internal/fdtest/exists_unix.go",
		"os/exec/lp_unix.go",
		"os/user/listgroups_unix.go",
		"os/user/lookup_unix.go",
	),
	[]Edit{
		Replace{"src/os/user/lookup_stubs.go", "\tswitch runtime.GOOS {\n\tcase \"android\":", "\tif goos.IsTamago == 1 {\n\t\tu.Username = cmp.Or(u.Username, \"root\")\n\t\tu.HomeDir = cmp.Or(u.HomeDir, \"/\")\n\t}\n\tswitch runtime.GOOS {\n\tcase \"android\":", 1,
			"a root without /etc/passwd still has its user 0"},
		Replace{"src/os/user/lookup_stubs.go", "import (\n", "import (\n\t\"cmp\"\n\t\"internal/goos\"\n", 1, "see above"},
	},
	widen("what distributions keep in files of the root",
		"archive/tar/stat_actime1.go",
		"archive/tar/stat_unix.go",
		"crypto/x509/root_unix.go",
		"mime/type_unix.go",
	),
)
