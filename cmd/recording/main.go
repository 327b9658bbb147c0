// Command recording plays a session at the demo's shell, in a guest, and records
// what its terminal shows: as a text cast (asciicast v2, which asciinema plays)
// and as a picture that moves (SVG).
//
//	recording -yolk bin/yolk -cast docs/demo.cast -svg docs/demo.svg
//	recording -svg docs/demo.svg -from docs/demo.cast    the picture of a cast
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	yolk := flag.String("yolk", "bin/yolk", "the yolk that boots the demo")
	cast := flag.String("cast", "docs/demo.cast", "the cast to write")
	svg := flag.String("svg", "docs/demo.svg", "the picture to write")
	from := flag.String("from", "", "make the picture of this cast, and record nothing")
	flag.Parse()
	if err := run(*yolk, *cast, *svg, *from); err != nil {
		fmt.Fprintln(os.Stderr, "recording:", err)
		os.Exit(1)
	}
}

func run(yolk, castFile, svgFile, from string) error {
	var c *cast
	var err error
	if from != "" {
		c, err = readCast(from)
	} else if c, err = record(yolk); err == nil {
		err = writeFile(castFile, c.encode)
	}
	if err != nil {
		return err
	}
	return writeFile(svgFile, func() ([]byte, error) { return picture(c) })
}

func writeFile(name string, encode func() ([]byte, error)) error {
	data, err := encode()
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
