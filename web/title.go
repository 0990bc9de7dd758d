package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"time"
)

// untitled are the places of index.html where a title belongs; the build keeps them so.
var untitled = [2][]byte{[]byte("<title>Chat</title>"), []byte(`<meta name="application-name" content="" />`)}

// titled returns the page with a title of its own: in the browser's tab, in the page's heading and
// under its icon. It is written into the files once, so that the page needs no script of its own for
// it and caches know it by its tag.
func titled(page fs.FS, title string) (fs.FS, error) {
	if title == "" {
		return page, nil
	}
	index, err := fs.ReadFile(page, "index.html")
	if err != nil {
		return nil, err
	}
	for i, form := range []string{"<title>%s</title>", `<meta name="application-name" content="%s" />`} {
		if !bytes.Contains(index, untitled[i]) {
			return nil, fmt.Errorf("%w (index.html has no %s)", ErrNotBuilt, untitled[i])
		}
		index = bytes.Replace(index, untitled[i], fmt.Appendf(nil, form, html.EscapeString(title)), 1)
	}
	manifest, err := titledManifest(page, title)
	if err != nil {
		return nil, err
	}
	return overlay{page, map[string][]byte{"index.html": index, "manifest.webmanifest": manifest}}, nil
}

func titledManifest(page fs.FS, title string) ([]byte, error) {
	text, err := fs.ReadFile(page, "manifest.webmanifest")
	if err != nil {
		return nil, err
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("read manifest.webmanifest: %w", err)
	}
	manifest["name"], manifest["short_name"] = title, title
	return json.Marshal(manifest)
}

// An overlay is a tree of files some of which have another content. Directories still list the
// size of the first one.
type overlay struct {
	fs.FS
	content map[string][]byte
}

func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	content, other := o.content[name]
	if err != nil || !other {
		return f, err
	}
	info, err := f.Stat()
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &otherFile{bytes.NewReader(content), otherInfo{info, int64(len(content))}}, err
}

type otherFile struct {
	*bytes.Reader
	info otherInfo
}

func (f *otherFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (*otherFile) Close() error                 { return nil }

type otherInfo struct {
	fs.FileInfo
	size int64
}

func (i otherInfo) Size() int64      { return i.size }
func (otherInfo) ModTime() time.Time { return time.Time{} }
