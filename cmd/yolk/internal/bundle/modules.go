package bundle

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
)

// WriteModules lists the modules that an image is made of, as go version -m tells them,
// with Go itself and what of others the kernel has under import paths of its own, in the
// form of CycloneDX.
func (d *Dir) WriteModules(s *manifest.Spec, version string, others []image.Module) error {
	file := filepath.Join(d.Path, s.Image())
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return fmt.Errorf("modules of %s: %w", file, err)
	}
	bom := modules(info, version, others)
	return write(filepath.Join(d.Path, s.Name+".cdx.json"), 0o644, func(w io.Writer) error {
		return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(bom)
	})
}

func modules(info *debug.BuildInfo, version string, others []image.Module) *cdx.BOM {
	bom := cdx.NewBOM()
	main := component(info.Main.Path, info.Main.Version, info.Main.Sum)
	main.Type = cdx.ComponentTypeApplication
	bom.Metadata = &cdx.Metadata{Component: &main, Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
		{Type: cdx.ComponentTypeApplication, Name: "yolk", Version: version},
	}}}
	list := []cdx.Component{component("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Path == image.ThirdPartyPath {
			for _, o := range others {
				list = append(list, component(o.Path, o.Version, o.Sum))
			}
			continue
		}
		list = append(list, component(m.Path, m.Version, m.Sum))
	}
	bom.Components = &list
	return bom
}

// component is a module, with the checksum of go.sum.
func component(path, version, sum string) cdx.Component {
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: path, Version: version}
	c.PackageURL = "pkg:golang/" + path
	if version != "" && version != "(devel)" {
		c.PackageURL += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	c.BOMRef = c.PackageURL
	if sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go.sum", Value: sum}}
	}
	return c
}
