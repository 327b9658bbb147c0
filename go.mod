module github.com/yolkos/yolk

go 1.26.4

require (
	github.com/hanwen/go-fuse/v2 v2.12.1
	github.com/spf13/cobra v1.10.1
	github.com/usbarmory/tamago v1.26.5
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.45.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)
