// Package svg has what the pictures that yolk draws have in common.
package svg

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Head begins a white picture of so many pixels. "</svg>\n" ends it.
func Head(width, height int) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="Liberation Sans,Arial,Helvetica,sans-serif" font-size="12">`+"\n"+
		`<rect width="%[1]d" height="%[2]d" fill="white"/>`+"\n", width, height)
}

// Escape writes a text so that it stands in a picture as it is; what XML cannot have becomes
// U+FFFD.
func Escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
