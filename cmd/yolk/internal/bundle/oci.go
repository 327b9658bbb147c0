package bundle

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
)

// user is who a container runs as: nobody that a host knows.
const user = 65532

// WriteImage makes the OCI image of what the bundle has, an archive that docker load takes,
// and sets its tag in s: another one for another image. Scratch is a directory for what
// lies between.
func (d *Dir) WriteImage(s *manifest.Spec, scratch string) error {
	img, err := d.image(s, scratch)
	if err != nil {
		return err
	}
	id, err := img.ConfigName()
	if err != nil {
		return err
	}
	s.Tag = id.Hex[:12]
	tag, err := name.NewTag(s.Reference(), name.WithDefaultRegistry(""))
	if err != nil {
		return fmt.Errorf("OCI image: %w", err)
	}
	return tarball.WriteToFile(filepath.Join(d.Path, s.Archive()), tag, img)
}

// image makes an image of two layers: one with the host's QEMU, and one with the guest's image
// and this program.
func (d *Dir) image(s *manifest.Spec, scratch string) (v1.Image, error) {
	system, libraries, qemu, err := hostQEMU()
	if err != nil {
		return nil, err
	}
	self, dirs, err := withLibraries(filepath.Join(d.Path, "yolk"))
	if err != nil {
		return nil, err
	}
	system = append(system, self[1:]...) // of a yolk that is not static
	libraries = append(libraries, dirs...)
	slices.Sort(libraries)
	own, err := d.own(s)
	if err != nil {
		return nil, err
	}
	var layers []v1.Layer
	for i, entries := range [][]entry{system, own} {
		l, err := layer(entries, filepath.Join(scratch, fmt.Sprintf("layer%d", i)))
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	config := v1.Config{
		Entrypoint: append(append([]string{manifest.ImageDir + "/yolk"}, s.Container().Args...), "--"),
		Env: []string{
			"PATH=" + path.Dir(qemu),
			"LD_LIBRARY_PATH=" + strings.Join(slices.Compact(libraries), ":"),
		},
		User: fmt.Sprintf("%d:%[1]d", user), WorkingDir: "/", StopSignal: "SIGTERM",
		ExposedPorts: map[string]struct{}{},
	}
	for _, p := range s.Ports {
		config.ExposedPorts[fmt.Sprintf("%d/%s", p.Host, strings.ToLower(p.Protocol()))] = struct{}{}
	}
	if img, err = mutate.Config(img, config); err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS = "amd64", "linux"
	return mutate.ConfigFile(img, file)
}

// own lists what a container has of the bundle.
func (d *Dir) own(s *manifest.Spec) (list []entry, err error) {
	for name, mode := range map[string]fs.FileMode{"yolk": 0o755, s.Image(): 0o644} {
		list = append(list, entry{name: manifest.ImageDir + "/" + name, mode: mode, from: filepath.Join(d.Path, name)})
	}
	list = append(list,
		entry{name: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
		entry{name: manifest.VolumesDir, mode: fs.ModeDir | 0o755})
	for _, v := range s.Volumes {
		list = append(list, entry{name: manifest.VolumesDir + "/" + v.Name, mode: fs.ModeDir | 0o755, user: user})
	}
	if !s.Shared {
		return list, nil
	}
	root := filepath.Join(d.Path, "root")
	err = filepath.WalkDir(root, func(p string, f fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := f.Info()
		if err != nil {
			return err
		}
		e := entry{name: path.Join(manifest.ImageDir, "root", strings.TrimPrefix(p, root)), mode: info.Mode(), from: p}
		if info.Mode()&fs.ModeSymlink != 0 {
			e.link, err = os.Readlink(p)
		}
		list = append(list, e)
		return err
	})
	return list, err
}
