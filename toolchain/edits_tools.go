package toolchain

func init() { tables = append(tables, toolEdits) }

// toolEdits teach the go command, compiler, assembler and linker the target.
var toolEdits = []Edit{
	Replace{"src/internal/syslist/syslist.go", "\"solaris\":   true,\n\t\"wasip1\"", "\"solaris\":   true,\n\t\"tamago\":    true,\n\t\"wasip1\"", 1,
		"GOOS=tamago counts in file names and build constraints"},
	Replace{"src/internal/platform/zosarch.go", "\t{\"wasip1\", \"wasm\"},\n", "\t{\"tamago\", \"amd64\"},\n\t{\"wasip1\", \"wasm\"},\n", 1,
		"the go command accepts the pair"},
	Replace{"src/internal/platform/zosarch.go", "\t{\"wasip1\", \"wasm\"}:     {},\n", "\t{\"tamago\", \"amd64\"}:     {},\n\t{\"wasip1\", \"wasm\"}:     {},\n", 1,
		"no cgo, no race detector"},
	Replace{"src/cmd/internal/objabi/head.go", `case "linux", "android":`, `case "linux", "android", "tamago":`, 1,
		"static ELF with the TLS model of Linux"},

	Replace{"src/internal/cfg/cfg.go", "\tGOOS\n", "\tGOOS\n\tGOOSPKG\n", 1,
		"go env -w may set GOOSPKG"},
	Before{"go1.27", goosImport("loaderstate")},
	Since{"go1.27", goosImport("ld")},
	Replace{"src/cmd/go/internal/envcmd/env.go", "\t\t{Name: \"GOEXPERIMENT\", Value: cfg.RawGOEXPERIMENT},\n", "\t\t{Name: \"GOEXPERIMENT\", Value: cfg.RawGOEXPERIMENT},\n\t\t{Name: \"GOOSPKG\", Value: modload.GOOSPKG},\n", 1,
		"go env shows GOOSPKG"},

	Replace{"src/cmd/link/internal/ld/elf.go", "\t// Additions to the reserved area must be above this line.\n", "\tresoff -= pvhNoteLayout(ctxt, uint64(startva), uint64(resoff))\n\n\t// Additions to the reserved area must be above this line.\n", 1,
		"room for the PVH note"},
	Replace{"src/cmd/link/internal/ld/elf.go", "\tif ctxt.LinkMode != LinkExternal {\n\t\tif ctxt.HeadType == objabi.Hnetbsd {\n", "\tif ctxt.LinkMode != LinkExternal {\n\t\ta += pvhNoteWrite(ctxt)\n\t\tif ctxt.HeadType == objabi.Hnetbsd {\n", 1,
		"the PVH note itself"},

	Replace{"src/cmd/link/internal/ld/main.go", "\tbuildVersion := buildcfg.Version\n", "\tbuildVersion := buildcfg.Version\n\tif buildcfg.GOOS == \"tamago\" {\n\t\tbuildVersion, _, _ = strings.Cut(buildVersion, \"-yolk.\")\n\t}\n", 1,
		"a program knows the Go that it is built with by the version that it would have on Linux: some print it, some compare it"},

	Replace{"src/cmd/link/internal/ld/inittask.go", "\t// Sort edges so we can look them up by edge destination.\n", "\tfor _, e := range edges {\n\t\tkernelImport(ldr, e.from, e.to)\n\t}\n\th.rebuild(ldr)\n\n\t// Sort edges so we can look them up by edge destination.\n", 1,
		"the kernel boots before the first init of the program"},
	Replace{"src/cmd/link/internal/ld/heap.go", "ldr.SymName(", "initName(ldr, ", 6,
		"the order in which ready packages are initialised"},

	Replace{"src/cmd/go/internal/load/pkg.go", "\t\t\t\t\tdata.p, data.err = rp.Import(cfg.BuildContext, buildMode)\n", "\t\t\t\t\tdata.p, data.err = rp.Import(imports.LinuxContext(r.dir, cfg.BuildContext), buildMode)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/load/pkg.go", "\t\t\tdata.p, data.err = buildContext.ImportDir(r.dir, buildMode)\n", "\t\t\tbuildContext = imports.LinuxContext(r.dir, buildContext)\n\t\t\tdata.p, data.err = buildContext.ImportDir(r.dir, buildMode)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/load/pkg.go", "\tbp, err := ctxt.ImportDir(dir, 0)\n", "\tctxt = imports.LinuxContext(dir, ctxt)\n\tbp, err := ctxt.ImportDir(dir, 0)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/modload/load.go", "\tbp, err := cfg.BuildContext.ImportDir(absDir, 0)\n", "\tbuildContext := imports.LinuxContext(absDir, cfg.BuildContext)\n\tbp, err := buildContext.ImportDir(absDir, 0)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/imports/scan.go", "\tdirs, err := fsys.ReadDir(path)\n", "\ttags = LinuxTags(path, tags)\n\tdirs, err := fsys.ReadDir(path)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/modindex/read.go", "\timports_ := make(map[string]bool)\n", "\ttags = imports.LinuxTags(filepath.Join(rp.modroot, rp.dir), tags)\n\timports_ := make(map[string]bool)\n", 1, asLinux},
	Replace{"src/cmd/go/internal/search/search.go", "\t\tif p, err := cfg.BuildContext.ImportDir(path, 0); err", "\t\tbuildContext := imports.LinuxContext(path, cfg.BuildContext)\n\t\tif p, err := buildContext.ImportDir(path, 0); err", 1, asLinux},
	Replace{"src/cmd/go/internal/search/search.go", "\t\"cmd/go/internal/fsys\"\n", "\t\"cmd/go/internal/fsys\"\n\t\"cmd/go/internal/imports\"\n", 1, asLinux},
	Replace{"src/cmd/go/internal/work/gc.go", "forcedAsmflags, p.Internal.Asmflags}", "forcedAsmflags, p.Internal.Asmflags}\n\tif imports.AsLinux(p.Dir) {\n\t\targs = append(args, \"-D\", \"GOOS_linux\")\n\t}", 1, asLinux},
	Replace{"src/cmd/go/internal/work/gc.go", "\t\"cmd/go/internal/gover\"\n", "\t\"cmd/go/internal/gover\"\n\t\"cmd/go/internal/imports\"\n", 1, asLinux},

	Replace{"src/cmd/go/internal/load/pkg.go", "\t\tif mi.Replace != nil {\n\t\t\tdm.Replace =", "\t\tif mi.Replace != nil && !lifted(mi.Replace.Path) {\n\t\t\tdm.Replace =", 1,
		"a program of the module cache tells its version"},
	Replace{"src/runtime/debug/mod.go", "\tbi.GoVersion = runtime.Version()\n", "\tbi.GoVersion = runtime.Version()\n\tbi.asLinux()\n", 1,
		"a program finds of its build what it would find on Linux"},
}

const asLinux = "packages of other people are matched as for Linux as well"

// goosImport makes the go command's search for a package, whose parameter with
// what it knows of the build has the name state, find runtime/goos.
func goosImport(state string) Edit {
	const here = "\t// Check each module on the build list.\n"
	return Replace{"src/cmd/go/internal/modload/import.go", here, "\tif path == goosPath && GOOSPKG != \"\" {\n\t\t_, root, dir, altMods, err := importFromModules(" + state + ", ctx, GOOSPKG+\"/goos\", rs, mg, skipModFile)\n\t\treturn module.Version{}, root, dir, altMods, err\n\t}\n\n" + here, 1,
		"a package of the build list stands in for runtime/goos"}
}
