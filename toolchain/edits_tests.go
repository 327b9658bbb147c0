package toolchain

import "slices"

func init() { tables = append(tables, testEdits) }

// testEdits let the standard library's own tests run, those for unix systems
// included.
var testEdits = slices.Concat(
	widen("what tests may expect is that of systems without other processes",
		"internal/testenv/testenv_notunix.go",
	),
	[]Edit{
		Replace{"src/internal/testenv/exec.go", "\tswitch runtime.GOOS {\n\tcase \"wasip1\", \"js\", \"ios\":", "\tif goos.IsTamago == 1 {\n\t\treturn errors.New(\"there is one program\")\n\t}\n\tswitch runtime.GOOS {\n\tcase \"wasip1\", \"js\", \"ios\":", 1,
			"programs cannot be executed"},
		Replace{"src/internal/testenv/exec.go", "\t\"errors\"\n", "\t\"errors\"\n\t\"internal/goos\"\n", 1, "see above"},
		Replace{"src/internal/trace/testtrace/platforms.go", "\tswitch runtime.GOOS {\n", "\tif goos.IsTamago == 1 {\n\t\treturn false\n\t}\n\tswitch runtime.GOOS {\n", 1,
			"the runtime sees no system calls"},
		Replace{"src/internal/trace/testtrace/platforms.go", "import (", "import (\n\t\"internal/goos\"", 1, "see above"},
	},
	widen("tests of what the target shares with unix",
		"bufio/net_test.go",
		"crypto/x509/root_unix_test.go",
		"internal/syscall/unix/fchmodat_test.go",
		"internal/poll/export_posix_test.go",
		"internal/poll/fd_posix_test.go",
		"mime/type_unix_test.go",
		"os/env_unix_test.go",
		"os/error_unix_test.go",
		"os/exec_unix_test.go",
		"os/export_unix_test.go",
		"os/fifo_test.go",
		"os/getwd_unix_test.go",
		"os/os_unix_test.go",
		"os/readfrom_unix_test.go",
		"os/root_unix_test.go",
		"os/signal/example_unix_test.go",
		"os/signal/signal_test.go",
		"os/user/listgroups_unix_test.go",
		"os/user/lookup_unix_test.go",
		"syscall/dirent_test.go",
		"syscall/env_unix_test.go",
		"syscall/mmap_unix_test.go",
		"time/zoneinfo_unix_test.go",
	),
	[]Edit{
		Replace{"src/os/fifo_test.go", `exe := testenv.Executable(t)`, `exe := "fifo_test.go"`, 1,
			"any regular file does; the executable is there only for tests that start processes"},
		Replace{"src/go/build/deps_test.go", "\t< internal/runtime/gc/scan\n\t< runtime\n", "\t< internal/runtime/gc/scan,\n\t  runtime/goos\n\t< runtime\n", 1,
			"the runtime imports the machine"},
	},
	widen("tests of name lookup and of the fake network",
		"net/addrselect_test.go",
		"net/conf_test.go",
		"net/dnsclient_unix_test.go",
		"net/dnsconfig_unix_test.go",
		"net/net_fake_test.go",
		"net/nss_test.go",
		"net/platform_unix_test.go",
		"net/rawconn_stub_test.go",
	),
	[]Edit{
		Replace{"src/net/dial_test.go", `case "js", "wasip1":`, `case "js", fakeNet, "wasip1":`, 3, fakeNetwork},
		Replace{"src/net/dial_test.go", `runtime.GOOS == "js" ||`, `runtime.GOOS == "js" || runtime.GOOS == fakeNet ||`, 1, fakeNetwork},
		Replace{"src/net/file_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 4, fakeNetwork},
		Replace{"src/net/platform_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 1, fakeNetwork},
		Replace{"src/net/rawconn_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 2, fakeNetwork},
		Replace{"src/net/sendfile_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 1, fakeNetwork},
		Replace{"src/net/udpsock_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 1, fakeNetwork},
		Replace{"src/net/unixsock_test.go", `"js", "wasip1":`, `"js", fakeNet, "wasip1":`, 2, fakeNetwork},
	},
)

const fakeNetwork = "what the fake network cannot do"
