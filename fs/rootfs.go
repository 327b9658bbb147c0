package fs

import (
	"fmt"
	"sort"
	"strings"
	"syscall"
)

// RootConfig says what the tree of a starting kernel consists of.
type RootConfig struct {
	// Shares are the directories that the host gives.
	Shares []Share
	// Image is the root that the image carries, if no share is it; nil: none.
	Image *Share
	// Own are the kernel's own file systems below "/". Their names are
	// reserved: what a share has there is hidden.
	Own []Own
	// Empty makes an empty writable file system: the root where neither a share nor
	// the image has one, and a place for the missing directories above a Share's Path.
	Empty func() FileSystem
}

// Share is a directory of the host.
type Share struct {
	Tag      string
	FS       FileSystem
	ReadOnly bool
	// Path is where to mount it, from the root. If empty, the tag says it: "/"
	// and "root" are the root itself, any other TAG goes to /TAG.
	Path string
}

// Own is a file system of the kernel at /Name.
type Own struct {
	Name string
	FS   FileSystem
}

// NewRoot makes the tree. A share that cannot be mounted does not keep the
// others from it: it is left out, closed, and among the problems. Notes are
// lines for the log: each mount, and what is hidden.
//
// The root share is mounted whole at "/", so that its top-level files and
// links are there too, and what the host makes or removes later is followed.
// The mount table shows each of its directories.
func NewRoot(c RootConfig) (v *VFS, notes []string, problems []error) {
	shares := append([]Share(nil), c.Shares...)
	for i := range shares {
		if err := shares[i].place(c.Own); err != nil {
			problems = append(problems, err)
			shares[i].FS.Close()
			shares[i].FS = nil
		}
	}
	// Outer directories come before those inside of them.
	sort.SliceStable(shares, func(i, j int) bool { return len(shares[i].Path) < len(shares[j].Path) })

	for i, s := range shares {
		if s.FS != nil && s.Path == "/" {
			v = New(s.FS, MountOptions{Source: s.Tag, ReadOnly: s.ReadOnly, ListDirs: true})
			shares[i].FS = nil
			break
		}
	}
	switch {
	case v == nil && c.Image != nil:
		v = New(c.Image.FS, MountOptions{Source: c.Image.Tag, ReadOnly: c.Image.ReadOnly})
	case v == nil:
		v = New(c.Empty(), MountOptions{})
	case c.Image != nil:
		notes = append(notes, "the root in the image is hidden by the share that is the root")
		c.Image.FS.Close()
	}
	for _, o := range c.Own {
		if d, err := v.Walk(Base{}, "/"+o.Name, false); err == nil {
			d.Put()
			notes = append(notes, "the root's /"+o.Name+" is hidden by the kernel's "+o.FS.Type())
		}
		if err := v.Mount(Base{}, "/"+o.Name, o.FS, MountOptions{Bare: true}); err != nil {
			problems = append(problems, fmt.Errorf("mounting %s on /%s: %w", o.FS.Type(), o.Name, err))
		}
	}
	for _, s := range shares {
		if s.FS == nil {
			continue
		}
		err := syscall.EBUSY // a second root
		if s.Path != "/" {
			err = errno(v.mountShare(s, c.Empty))
		}
		if err != 0 {
			problems = append(problems, fmt.Errorf("mounting share %q on %s: %w", s.Tag, s.Path, err))
			s.FS.Close()
		}
	}
	for _, m := range v.Mounts() {
		notes = append(notes, m.String())
	}
	return v, notes, problems
}

// place finds out and checks where s is mounted.
func (s *Share) place(own []Own) error {
	switch {
	case s.Path != "":
	case s.Tag == "/" || s.Tag == "root":
		s.Path = "/"
	case s.Tag == "" || s.Tag == "." || s.Tag == ".." || len(s.Tag) > NameMax || strings.ContainsAny(s.Tag, "/\x00"):
		return fmt.Errorf("share %q: the tag is no name for a directory below /; use \"root\" or a name without slashes", s.Tag)
	default:
		s.Path = "/" + s.Tag
	}
	if s.Path[0] != '/' {
		return fmt.Errorf("share %q: path %q is not absolute", s.Tag, s.Path)
	}
	var parts []string
	for _, name := range strings.Split(s.Path, "/") {
		switch name {
		case "", ".":
		case "..":
			return fmt.Errorf("share %q: path %q must not contain \"..\"", s.Tag, s.Path)
		default:
			parts = append(parts, name)
		}
	}
	s.Path = "/" + strings.Join(parts, "/")
	for _, o := range own {
		if s.Path == "/"+o.Name {
			return fmt.Errorf("share %q: %s is reserved for the kernel's %s", s.Tag, s.Path, o.FS.Type())
		}
	}
	return nil
}

// mountShare mounts s at its path. What is missing above the path is made in
// a file system of ours: the shares are left as they are.
func (v *VFS) mountShare(s Share, empty func() FileSystem) error {
	ours := false
	for i := 1; i < len(s.Path); i++ {
		if s.Path[i] != '/' {
			continue
		}
		dir := s.Path[:i]
		d, err := v.Walk(Base{}, dir, true)
		switch {
		case err == nil:
			ours = false
			d.Put()
		case err == syscall.ENOENT && ours:
			err = v.Mkdir(Base{}, dir, 0o755, 0)
		case err == syscall.ENOENT:
			ours = true
			err = v.Mount(Base{}, dir, empty(), MountOptions{Bare: true})
		}
		if err != nil {
			return err
		}
	}
	if ours { // a directory that stays when the share is unmounted
		if err := v.Mkdir(Base{}, s.Path, 0o755, 0); err != nil {
			return err
		}
	}
	return v.Mount(Base{}, s.Path, s.FS, MountOptions{Source: s.Tag, ReadOnly: s.ReadOnly, Bare: true})
}
