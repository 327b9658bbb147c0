package svg

import (
	"encoding/xml"
	"testing"
)

// What is escaped is read back, and a head is that of a document.
func TestSVG(t *testing.T) {
	for text, want := range map[string]string{"a <b> & \"c\" ü": "a <b> & \"c\" ü", "\x00\xff": "\ufffd\ufffd", "": ""} {
		var got struct {
			Width string `xml:"width,attr"`
			Text  string `xml:"text"`
		}
		if err := xml.Unmarshal([]byte(Head(7, 8)+"<text>"+Escape(text)+"</text></svg>\n"), &got); err != nil || got.Text != want || got.Width != "7" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
