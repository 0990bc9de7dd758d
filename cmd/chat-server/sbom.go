package main

import (
	"encoding/json"
	"errors"
	"io"
	"runtime/debug"
	"strings"
)

// bom is a bill of materials in the form of CycloneDX 1.5, as far as it is needed.
type bom struct {
	Schema     string      `json:"$schema"`
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   bomMetadata `json:"metadata"`
	Components []component `json:"components"`
}

type bomMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// writeSBOM lists the modules that the linker put into this binary, and the Go release. It is what an image's scanner finds,
// without the modules that pkg/replaced stands in for.
func writeSBOM(w io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("sbom: this binary was built without a list of its modules")
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(billOf(info, versionText()))
}

func billOf(info *debug.BuildInfo, version string) bom {
	b := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", Spec: "1.5", Version: 1,
		Metadata: bomMetadata{component{Type: "application", Ref: "chat-server", Name: "chat-server", Version: version}},
		Components: []component{
			golang("stdlib", strings.TrimPrefix(info.GoVersion, "go"), ""),
		},
	}
	for _, m := range info.Deps {
		switch {
		case m.Replace == nil:
			b.Components = append(b.Components, golang(m.Path, m.Version, m.Sum))
		case strings.HasPrefix(m.Replace.Path, "."): // a folder of this module: its name and version are ours
			path := info.Main.Path + strings.TrimPrefix(m.Replace.Path, ".")
			c := component{Type: "library", Ref: path, Name: path, Version: version}
			c.Properties = []property{{"go:standsInFor", m.Path}}
			b.Components = append(b.Components, c)
		default:
			b.Components = append(b.Components, golang(m.Replace.Path, m.Replace.Version, m.Replace.Sum))
		}
	}
	return b
}

// golang is a published module, with its checksum as go.sum has it.
func golang(path, version, sum string) component {
	purl := "pkg:golang/" + path + "@" + version
	c := component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}
