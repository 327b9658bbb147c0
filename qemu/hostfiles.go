package qemu

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/kernel/control"
)

// hostFiles are the files of this host that a guest may read where its root has
// none: those of /etc that programs expect of any system, and time zones. And the
// guest may read its own image.
type hostFiles struct {
	image  *os.File
	getenv func(name string) string // of the host
}

// maxHostFile is the longest file of the host that is passed on, in bytes.
const maxHostFile = 4 << 20

// zoneinfo is where time zones lie, in guests too.
const zoneinfo = "usr/share/zoneinfo"

// offered has the names of the files in guests, and where they lie on hosts: the
// first one that is there.
var offered = map[string][]string{
	"etc/group":             {"/etc/group"},
	"etc/hosts":             {"/etc/hosts"},
	"etc/mime.types":        {"/etc/mime.types"},
	"etc/nsswitch.conf":     {"/etc/nsswitch.conf"},
	"etc/passwd":            {"/etc/passwd"},
	"etc/protocols":         {"/etc/protocols"},
	"etc/services":          {"/etc/services"},
	"usr/share/mime/globs2": {"/usr/share/mime/globs2"},
	"etc/ssl/certs/ca-certificates.crt": {
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Gentoo
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/ssl/cert.pem",                                 // Alpine
	},
}

// answer makes the answer to file-read.
func (h *hostFiles) answer(m control.Message) []byte {
	off, ok := m.Count(1)
	count, ok2 := m.Count(2)
	kind, size, data, err := "file", int64(0), []byte(nil), error(syscall.EINVAL)
	if ok && ok2 && off < 1<<62 {
		kind, size, data, err = h.read(m.Arg(0), int64(off), int(min(count, control.MaxData)))
	}
	errno := syscall.Errno(0)
	if err != nil {
		errno, data = syscall.EIO, nil
		errors.As(err, &errno)
	}
	b := control.Message{Verb: control.FileData, Args: []string{
		strconv.Itoa(int(errno)), kind, strconv.FormatInt(size, 10), strconv.Itoa(len(data)),
	}}.Append(nil)
	return append(b, data...)
}

// read reads count bytes of an offered file at off.
func (h *hostFiles) read(name string, off int64, count int) (kind string, size int64, data []byte, err error) {
	if name == "exe" {
		size, data, err = readPart(h.image, off, count)
		return "file", size, data, err
	}
	if name == "etc/localtime" {
		zone, ok := h.localZone()
		if ok {
			text := "/" + zoneinfo + "/" + zone
			return "link", int64(len(text)), []byte(text), nil
		}
		return openPart([]string{"/etc/localtime"}, off, count)
	}
	if (name == zoneinfo || strings.HasPrefix(name, zoneinfo+"/")) && fs.ValidPath(name) {
		return openPart([]string{"/" + name}, off, count)
	}
	places, ok := offered[name]
	if !ok {
		return "file", 0, nil, syscall.ENOENT
	}
	if file := h.getenv("SSL_CERT_FILE"); file != "" && strings.HasPrefix(name, "etc/ssl/") {
		places = append([]string{file}, places...)
	}
	return openPart(places, off, count)
}

// localZone is the name of the host's time zone, by the environment, or by the link
// that /etc/localtime is.
func (h *hostFiles) localZone() (name string, ok bool) {
	name = strings.TrimPrefix(h.getenv("TZ"), ":")
	if name == "" {
		target, err := os.Readlink("/etc/localtime")
		if err != nil {
			return "", false
		}
		if !path.IsAbs(target) {
			target = path.Join("/etc", target)
		}
		name = target
	}
	name = strings.TrimPrefix(path.Clean(name), "/"+zoneinfo+"/")
	if !fs.ValidPath(name) || name == "." {
		return "", false
	}
	info, err := os.Stat("/" + zoneinfo + "/" + name)
	return name, err == nil && info.Mode().IsRegular()
}

// names lists what is in a directory, directories with a slash, each ended by NUL.
func names(dir *os.File) (list []byte) {
	entries, _ := dir.ReadDir(-1) // as many as there are before an error
	for _, e := range entries {
		name := e.Name() + "\x00"
		if e.IsDir() {
			name = e.Name() + "/\x00"
		}
		if len(list)+len(name) > control.MaxData {
			break
		}
		list = append(list, name...)
	}
	return list
}

// openPart reads the first file that is there.
func openPart(places []string, off int64, count int) (kind string, size int64, data []byte, err error) {
	err = syscall.ENOENT
	for _, place := range places {
		// What is no file, such as a pipe, must not hold anything up.
		f, e := os.OpenFile(place, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if e != nil {
			continue
		}
		defer f.Close()
		info, e := f.Stat()
		switch {
		case e != nil:
		case info.IsDir():
			return "dir", 0, names(f), nil
		case !info.Mode().IsRegular():
		case info.Size() > maxHostFile:
			err = syscall.EFBIG
		default:
			size, data, err = readPart(f, off, count)
			return "file", size, data, err
		}
	}
	return "file", 0, nil, err
}

func readPart(f *os.File, off int64, count int) (size int64, data []byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, nil, err
	}
	size = info.Size()
	data = make([]byte, max(0, min(int64(count), size-off)))
	n, err := f.ReadAt(data, off)
	if err == io.EOF || len(data) == 0 {
		err = nil
	}
	return size, data[:n], err
}
