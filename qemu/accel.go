package qemu

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yolkos/yolk/toolchain/usercache"
)

// proofTime is how long the proof guest may take; it needs some 100 ms.
const proofTime = 10 * time.Second

// ChooseAccel returns the acceleration for a setting of --accel: for Auto, KVM
// where a tiny guest was seen to work under it, else TCG and the reason. The
// answer is kept until the host boots anew or QEMU changes, one against KVM for an
// hour at most: a busy host or one that is short of memory can be the reason too.
func ChooseAccel(ctx context.Context, want Accel, machine Machine, trace io.Writer) (got Accel, reason string, err error) {
	return chooseAccel(ctx, want, machine, trace, failureTime)
}

// failureTime is how long an answer is kept that KVM does not work.
const failureTime = time.Hour

// chooseAccel is ChooseAccel; an answer against KVM that is older than failures counts for nothing.
func chooseAccel(ctx context.Context, want Accel, machine Machine, trace io.Writer, failures time.Duration) (got Accel, reason string, err error) {
	if want != Auto {
		return want, "", nil
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return TCG, strings.TrimPrefix(err.Error(), "open "), nil
	}
	f.Close()
	path, err := FindQEMU()
	if err != nil {
		return "", "", err
	}
	cache := proofCache(path, machine)
	if reason, ok := keptProof(cache, time.Now(), failures); ok {
		return accelFor(reason), reason, nil
	}
	reason, err = prove(ctx, path, machine, trace)
	if err != nil {
		return "", "", err
	}
	// Without a place for the answer it is found again next time.
	_ = storeProof(cache, reason)
	return accelFor(reason), reason, nil
}

func accelFor(reason string) Accel {
	if reason == "" {
		return KVM
	}
	return TCG
}

// prove boots the proof guest under KVM and returns why it did not work, or
// nothing when it did.
func prove(ctx context.Context, path string, machine Machine, trace io.Writer) (reason string, err error) {
	if err := checkFileSize(minMemory); err != nil {
		return "", err // which tells nothing about KVM
	}
	kernel, err := memfile("proof", proofELF())
	if err != nil {
		return "", err
	}
	ours, theirs, err := pair()
	if err != nil {
		kernel.Close()
		return "", err
	}
	defer ours.Close()
	var d descriptors
	c := Config{Machine: machine, Accel: KVM, Memory: minMemory, Kernel: fdPath(d.add(kernel)), Control: d.add(theirs)}
	p, err := start(path, c.Args(), &d, nil, trace)
	if err != nil {
		return "", err
	}
	defer p.kill()
	ctl := watch(ours)
	timer := time.NewTimer(proofTime)
	defer timer.Stop()
	select {
	case <-ctl.done:
	case <-timer.C:
		return fmt.Sprintf("a test guest did not end within %v", proofTime), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
	<-p.done
	if !ctl.proved {
		return "a test guest failed: " + strings.TrimPrefix(p.end().Error(), path+" "), nil
	}
	return "", nil
}

// proofCache names the file that holds the answer for a QEMU on this boot of
// the host, for this user and this version of the proof.
func proofCache(path string, machine Machine) string {
	place, err := usercache.Find("accel", "what is known of KVM")
	if err != nil {
		return ""
	}
	h := sha256.New()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	fmt.Fprintf(h, "%s %s %s %d\n", path, machine, boot, os.Geteuid())
	if info, err := os.Stat(path); err == nil {
		fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano())
	}
	h.Write(proofELF())
	return filepath.Join(place.Path, fmt.Sprintf("%.8s-%x", boot, h.Sum(nil)[:12]))
}

// keptProof returns the answer that a file holds, unless it is against KVM and older than failures.
func keptProof(cache string, now time.Time, failures time.Duration) (reason string, ok bool) {
	answer, err := os.ReadFile(cache)
	if err != nil {
		return "", false
	}
	info, err := os.Stat(cache)
	if err != nil {
		return "", false
	}
	reason, ok = parseProof(string(answer))
	age := now.Sub(info.ModTime()) // below 0 where the clock was set back
	return reason, ok && (reason == "" || age >= 0 && age < failures)
}

// The file holds one line: "kvm", or "tcg" and the reason.
func parseProof(answer string) (reason string, ok bool) {
	if answer == "kvm\n" {
		return "", true
	}
	reason, ok = strings.CutPrefix(answer, "tcg ")
	return strings.TrimSuffix(reason, "\n"), ok && strings.HasSuffix(answer, "\n")
}

func storeProof(cache, reason string) error {
	answer := "kvm\n"
	if reason != "" {
		answer = "tcg " + reason + "\n"
	}
	if cache == "" {
		return os.ErrNotExist
	}
	dir, name := filepath.Split(cache)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	boot, _, _ := strings.Cut(name, "-")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), boot) { // an answer for an earlier boot
			os.Remove(dir + e.Name())
		}
	}
	tmp, err := os.CreateTemp(dir, boot+"-new-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.WriteString(answer); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), cache)
}
