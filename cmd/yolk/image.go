package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/disk"
	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

func imageCmd() *cobra.Command {
	var build options.Build
	embed := options.Embed{Named: true}
	var out string
	var size options.DiskSize
	var verbose bool
	format := options.Choose(disk.Raw, disk.QCOW2, disk.ISO, disk.Net)
	cmd := &cobra.Command{
		Use:   "image [-o FILE] [PKG]",
		Short: "Build a main package into a disk that a machine boots, by BIOS or UEFI",
		Long: `Image builds a main package, named as for yolk build, and puts it on a disk or a CD
with the boot loader GRUB, for BIOS and UEFI, or in an archive for a TFTP server that
machines boot from (--format net). A disk has a GUID partition table; what --size leaves
is its third partition, for the program.

It takes no rights, and GRUB, mtools, and xorriso or qemu-img; what is missing is said.
Root, arguments, environment and working directory are in the image, as with yolk build.`,
		Example: "  yolk image -o server.qcow2 --root ./site --args '-listen :8080' ./cmd/server\n" +
			"  yolk image -o server.iso ./cmd/server\n" +
			"  yolk image --format raw --size 2G -o server.img ./cmd/server",
		ValidArgsFunction: options.CompletePackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			f := disk.Format(format.Value)
			if !cmd.Flags().Changed("format") {
				f = formatOf(out)
			}
			if size.Bytes != 0 && f != disk.Raw && f != disk.QCOW2 {
				return fmt.Errorf("--size %s is for disks, raw and qcow2: --format %s has the size of its files", size.Text, f)
			}
			if len(args) == 1 && image.IsELF(args[0]) {
				return fmt.Errorf("%s is built already, for monitors, which start it by its PVH note: name its package, which is linked to another address for firmware", args[0])
			}
			flags, err := build.Shipped()
			if err != nil {
				return err
			}
			if err := disk.Check(f); err != nil {
				return err
			}
			b, done, err := shownBuilder(cmd.Context(), traceTo(verbose))
			if err != nil {
				return err
			}
			defer done()
			b.Booted = true
			p, err := b.Program(cmd.Context(), args, flags...)
			if err != nil {
				return err
			}
			file, err := outputFile(out, p.Name+f.Ext())
			if err != nil {
				return err
			}
			parts, err := embed.Into(p, file)
			if err != nil {
				return err
			}
			kernel := filepath.Join(b.Scratch, "kernel")
			if err := p.BuildWith(cmd.Context(), kernel, parts); err != nil {
				return err
			}
			return disk.Make(cmd.Context(), file, disk.Options{Kernel: kernel, Format: f, Size: int64(size.Bytes), Trace: b.Trace})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "output", "o", "", "the image, or a directory for it; default: the program's name and the format, in this directory")
	flags.Var(&format, "format", "format of the image; default: by the name of FILE, .qcow2, .iso or .tar, else raw")
	flags.Var(&size, "size", "size of the disk, such as 512M or 2G; default: as large as it has to be")
	embed.Add(flags)
	build.Add(flags)
	flags.BoolVarP(&verbose, "verbose", "v", false, "show the commands that are run")
	options.CompleteFlags(cmd)
	return cmd
}

// formatOf returns the format that the name of an image says.
func formatOf(file string) disk.Format {
	for _, f := range []disk.Format{disk.QCOW2, disk.ISO, disk.Net} {
		if strings.EqualFold(filepath.Ext(file), f.Ext()) {
			return f
		}
	}
	return disk.Raw
}
