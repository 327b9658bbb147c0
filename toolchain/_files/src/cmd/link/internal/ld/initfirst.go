package ld

import "cmd/link/internal/loader"

// kernelPackage is initialised, with all that it imports, before any other
// package: from then on files, arguments and the clock are there. So are those
// packages below it which an image may have: callsPackage and networkPackage, so
// that all system calls and the network are there for the others' initialisation, and
// profilePackage and locksPackage, so that they see that.
const (
	kernelPackage  = "github.com/yolkos/yolk/kernel"
	callsPackage   = kernelPackage + "/calls"
	networkPackage = kernelPackage + "/network"
	profilePackage = kernelPackage + "/profile"
	locksPackage   = profilePackage + "/locks"
)

// kernelImports maps the initialisation record of a package to those of the
// packages that it imports.
var kernelImports = map[loader.Sym][]loader.Sym{}

// kernelNeeds holds the initialisation records of kernelPackage and its
// imports; it is nil until the first question.
var kernelNeeds map[loader.Sym]bool

// kernelImport notes that from's package imports to's.
func kernelImport(ldr *loader.Loader, from, to loader.Sym) {
	kernelImports[from] = append(kernelImports[from], to)
	kernelNeeds = nil
}

// initName is the name by which initialisable packages are ordered: what the
// kernel needs comes first, the rest by name as the language wants it.
func initName(ldr *loader.Loader, s loader.Sym) string {
	if kernelNeeds == nil {
		kernelNeeds = map[loader.Sym]bool{}
		for from := range kernelImports {
			switch ldr.SymName(from) {
			case kernelPackage + "..inittask", callsPackage + "..inittask", networkPackage + "..inittask",
				profilePackage + "..inittask", locksPackage + "..inittask":
				needByKernel(from)
			}
		}
	}
	if kernelNeeds[s] {
		return "\x00" + ldr.SymName(s)
	}
	return ldr.SymName(s)
}

// rebuild orders the heap anew, after the names by which it is ordered changed.
func (h *lexHeap) rebuild(ldr *loader.Loader) {
	all := *h
	*h = nil
	for _, s := range all {
		h.push(ldr, s)
	}
}

func needByKernel(s loader.Sym) {
	if kernelNeeds[s] {
		return
	}
	kernelNeeds[s] = true
	for _, to := range kernelImports[s] {
		needByKernel(to)
	}
}
