// Package disk makes disk images that firmware boots, by GRUB: BIOS and UEFI, disks and
// CDs. It takes no rights: programs of others write into ordinary files.
package disk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
)

// Format is the format of an image.
type Format string

// The formats.
const (
	Raw   Format = "raw"   // a disk, as dd writes it
	QCOW2 Format = "qcow2" // a disk, QEMU's format
	ISO   Format = "iso"   // a CD or DVD, and a disk such as a USB stick
	Net   Format = "net"   // an archive (tar) to be unpacked for a TFTP server
)

// Ext returns how the names of such files end.
func (f Format) Ext() string {
	if f == Net {
		return ".tar"
	}
	return "." + string(f)
}

// Options say what is made.
type Options struct {
	Kernel string    // the program, an ELF file with a Multiboot 2 header
	Format Format    //
	Size   int64     // of a disk, in bytes; 0: as it takes
	Trace  io.Writer // the commands that are run; nil: not shown
}

// epoch is when all files were changed, which FAT has no earlier day for.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// The partitions of a disk, of which the third is what is left.
const (
	bootStart    = 1 << 20 // of the first: GRUB's core image, for BIOS
	systemStart  = bootStart + coreMax
	systemNumber = 2
	dataLeast    = 1 << 20 // less is not a partition
	tableRoom    = 1 << 20 // behind the last, for the table's copy
)

// maker makes an image in a directory, where the tools run as well: the names that they get
// are relative, and so of no letters that mean something to one of them.
type maker struct {
	Options
	dir string
	id  [sha256.Size]byte // of the program
}

// The names of what is made there.
const (
	kernelFile = "kernel"
	configFile = "grub.cfg"
	diskFile   = "disk.raw"
	qcow2File  = "disk.qcow2"
	discFile   = "disc.iso"
	netFile    = "net.tar"
	treeDir    = "tree" // of a CD
)

func (m *maker) path(name string) string { return filepath.Join(m.dir, name) }

// Check tells whether a format can be made here; what is missing is an error that says
// how it is installed.
func Check(f Format) error {
	list := []*tool{&grubMkimage, &grubBIOS, &grubEFI}
	if f != Net {
		list = append(list, &mformat, &mmd, &mcopy)
	}
	switch f {
	case QCOW2:
		list = append(list, &qemuImg)
	case ISO:
		list = append(list, &xorriso)
	}
	return need(list...)
}

// Make makes an image. There is a file only if all has gone well: it is made in a
// directory beside it and renamed.
func Make(ctx context.Context, file string, o Options) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file: make the image elsewhere and copy it", file)
	}
	if o.Size != 0 && o.Format != Raw && o.Format != QCOW2 {
		return errors.New("a size is for disks, raw or qcow2: others have that of their files")
	}
	if err := Check(o.Format); err != nil {
		return err
	}
	dir, err := scratch.Beside(file)
	if err != nil {
		return err
	}
	defer dir.Remove()
	m := &maker{Options: o, dir: dir.Path}
	name, err := m.make(ctx)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: %w: free some space in %s, or make the image elsewhere", file, err, filepath.Dir(file))
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.Rename(m.path(name), file)
}

// make makes the image, and returns its name.
func (m *maker) make(ctx context.Context) (name string, err error) {
	if m.id, err = takeFile(m.Kernel, m.path(kernelFile)); err != nil {
		return "", err
	}
	switch m.Format {
	case ISO:
		return discFile, m.disc(ctx)
	case Net:
		return netFile, m.netboot(ctx)
	case QCOW2:
		if err := m.disk(ctx); err != nil {
			return "", err
		}
		return qcow2File, m.run(ctx, &qemuImg, "convert", "-q", "-f", "raw", "-O", "qcow2", diskFile, qcow2File)
	}
	return diskFile, m.disk(ctx)
}

// disk makes a disk.
func (m *maker) disk(ctx context.Context) error {
	efi, err := m.grubCore(ctx, "x86_64-efi", "/"+path.Dir(configName), "", efiModules, diskModules)
	if err != nil {
		return err
	}
	if err := m.config(configFile); err != nil {
		return err
	}
	files := []hostFile{{efi, efiName}, {configFile, configName}, {kernelFile, kernelName}}
	system, cluster, err := m.fatSizeOf(files)
	if err != nil {
		return err
	}
	least := systemStart + system + tableRoom
	size := m.Size
	switch {
	case size == 0:
		size = least
	case size < least:
		return fmt.Errorf("a size of %d MiB is too small: the program and its loader need %d MiB", size>>20, least>>20)
	case size%sector != 0:
		return fmt.Errorf("a size of %d bytes: want a multiple of %d", size, sector)
	}
	list := []partition{
		{kind: biosBoot, start: bootStart, size: coreMax, name: "boot"},
		{kind: efiSystem, start: systemStart, size: system, name: "system"},
	}
	start := systemStart + system
	if data := (size - tableRoom - start) &^ (1<<20 - 1); data >= dataLeast {
		list = append(list, partition{kind: linuxData, start: start, size: data, name: "data"})
	}
	for i := range list {
		list[i].id = newGUID(m.id, list[i].name)
	}
	mbr, core, err := m.biosBootCode(ctx, bootStart)
	if err != nil {
		return err
	}
	if err := writeDisk(m.path(diskFile), size, func(w io.WriterAt) error {
		if _, err := w.WriteAt(core, bootStart); err != nil {
			return err
		}
		return writeGPT(w, size, newGUID(m.id, "disk"), mbr, list)
	}); err != nil {
		return err
	}
	return m.makeFAT(ctx, diskFile, systemStart, system, files, "-F", "-c", fmt.Sprint(cluster/sector))
}

// writeDisk makes a file of a size, with holes where write writes nothing.
func writeDisk(name string, size int64, write func(io.WriterAt) error) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	if err = out.Truncate(size); err == nil {
		err = write(out)
	}
	if end := out.Close(); err == nil {
		err = end
	}
	return err
}

// config writes GRUB's configuration to a file.
func (m *maker) config(name string) error {
	return os.WriteFile(m.path(name), []byte(config), 0o644)
}

// takeFile has a file at another name as well, or copies it there, and returns a checksum of
// what it has in it.
func takeFile(name, to string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if os.Link(name, to) == nil {
		_, err = io.Copy(h, f)
		return [sha256.Size]byte(h.Sum(nil)), err
	}
	out, err := os.Create(to)
	if err != nil {
		return sum, err
	}
	_, err = io.Copy(out, io.TeeReader(f, h))
	if end := out.Close(); err == nil {
		err = end
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}
