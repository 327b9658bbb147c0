package main

// What many tests need.
const (
	otherProcess   = "starts another process"
	goCommandRun   = "runs the go command, another process"
	fipsProcess    = "starts itself once more with FIPS 140 enforced, another process"
	pidfds         = "starts another process and refers to it by a pidfd"
	cgoResolver    = "is of the resolver of the C library, which takes cgo"
	mprotect       = "wants pages that fault; one map of all RAM, with large pages, stays as it is (syscall.Mprotect answers ENOSYS)"
	stackAllocates = "wants no allocation; the network stack is part of the program, and makes packets of its memory"
)

// reasons tell, for each exception by package.Test, why the test does not
// pass in the guest. Each was found by reading the test.
var reasons = map[string]string{
	"os.TestErrProcessDone":         otherProcess,
	"os.TestExecutable":             otherProcess,
	"os.TestExecutableDeleted":      goCommandRun,
	"os.TestFileChdirTestlog":       otherProcess,
	"os.TestFindProcessViaPidfd":    pidfds,
	"os.TestGetppid":                otherProcess,
	"os.TestHostname":               "compares with what /bin/hostname prints, another process",
	"os.TestKillFindProcess":        otherProcess,
	"os.TestKillStartProcess":       otherProcess,
	"os.TestPidfdLeak":              pidfds,
	"os.TestProcessReleaseTwice":    otherProcess,
	"os.TestProcessWithHandleLinux": pidfds,
	"os.TestReadNonblockingFd":      otherProcess,
	"os.TestStartProcess":           otherProcess,
	"os.TestStartProcessWithPidfd":  pidfds,
	"os.TestStatStdin":              otherProcess,
	"os.TestStdPipe":                "starts another process, which SIGPIPE is to end",
	"os.TestUNIXProcessAlive":       otherProcess,

	"go/build.TestImportDirNotExist":            goCommandRun,
	"go/build.TestImportPackageOutsideModule":   goCommandRun,
	"go/build.TestMissingImportErrorRepetition": goCommandRun,
	"go/build.TestVendorPackages":               goCommandRun,

	"bytes.TestCountNearPageBoundary":     mprotect,
	"bytes.TestEqualNearPageBoundary":     mprotect,
	"bytes.TestIndexByteNearPageBoundary": mprotect,
	"bytes.TestIndexNearPageBoundary":     mprotect,

	"net.TestAddrLookupOrder":                   cgoResolver,
	"net.TestAllocs":                            stackAllocates,
	"net.TestCgoLookupIP":                       cgoResolver,
	"net.TestCgoLookupIPWithCancel":             cgoResolver,
	"net.TestCgoLookupPTR":                      cgoResolver,
	"net.TestCgoLookupPTRWithCancel":            cgoResolver,
	"net.TestCgoLookupPort":                     cgoResolver,
	"net.TestCgoLookupPortWithCancel":           cgoResolver,
	"net.TestConfHostLookupOrder":               cgoResolver,
	"net.TestCopyFromTTY":                       "opens a pseudo-terminal with cgo",
	"net.TestForceCgoDNS":                       cgoResolver,
	"net.TestMultiPathTCP":                      "wants multipath TCP, which the network stack has not; the test skips itself on such kernels of Linux as well",
	"net.TestSplice":                            "the subtests start another process; those within one pass",
	"net.TestTCPReadWriteAllocs":                stackAllocates,
	"crypto/tls.TestFIPSServerCipherSuites":     fipsProcess,
	"crypto/tls.TestFIPSServerCurves":           fipsProcess,
	"crypto/tls.TestFIPSServerProtocolVersion":  fipsProcess,
	"crypto/tls.TestFIPSServerSignatureAndHash": fipsProcess,
	"internal/poll.TestReadError":               "a subtest opens /dev/net/tun, which a guest has not; the others pass",
	"net/http.TestCmdGoNoHTTPServer":            goCommandRun,
	"net/http.TestLinuxSendfile":                "runs itself under strace, another process",
	"net/http.TestOmitHTTP2Vet":                 goCommandRun,
	"net/netip.TestInlining":                    goCommandRun,

	"sync.TestIssue76126":  "starts another process, which a panic is to end",
	"sync.TestMutexMisuse": "starts another process, which a fatal error is to end",

	"runtime/debug.TestPanicOnFault":   mprotect,
	"runtime/debug.TestSetCrashOutput": "starts another process, which is to crash",
	"runtime/debug.TestStack":          "starts itself once more with another GOROOT",
}
