package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// hello builds the smallest ordinary program there is.
func hello(b testing.TB) *os.File {
	b.Helper()
	dir := b.TempDir()
	layOut(b, dir, map[string]string{
		"go.mod":  "module example.com/hello\n\ngo 1.24\n",
		"main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n",
	})
	f, _, err := buildImage(context.Background(), []string{dir}, imageOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

// BenchmarkBoot measures the time from the start of QEMU to main, virtiofsd's
// start and the mount of the root included, under TCG.
func BenchmarkBoot(b *testing.B) {
	needGuest(b)
	image, root := hello(b), b.TempDir()
	for _, machine := range []qemu.Machine{qemu.MicroVM, qemu.Q35} {
		b.Run(string(machine), func(b *testing.B) {
			var toMain, all time.Duration
			for b.Loop() {
				// Run closes the file that it is given.
				kernel, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", image.Fd()))
				if err != nil {
					b.Fatal(err)
				}
				var out bytes.Buffer
				start := time.Now()
				status, err := qemu.Run(context.Background(), &qemu.Options{
					Kernel: kernel, Args: []string{"hello"}, Dir: "/", Quiet: true,
					Machine: machine, Accel: qemu.TCG, Memory: 64 << 20,
					Shares: []qemu.Share{{Tag: options.RootTag, Dir: root}}, Daemon: qemu.Virtiofsd,
					Stdout: &out, Stderr: io.Discard, Console: os.Stderr, Notes: os.Stderr,
					OnMain: func() { toMain += time.Since(start) },
				})
				if err != nil || status != 0 || out.String() != "hello\n" {
					b.Fatalf("status %d, output %q, %v", status, out.String(), err)
				}
				all += time.Since(start)
			}
			b.ReportMetric(toMain.Seconds()/float64(b.N), "s-to-main")
			b.ReportMetric(all.Seconds()/float64(b.N), "s-in-all")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkImage reports the size of the image of a hello program.
func BenchmarkImage(b *testing.B) {
	needGuest(b)
	info, err := hello(b).Stat()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
	b.ReportMetric(0, "ns/op")
}
