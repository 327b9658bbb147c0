package options

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/layout"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("YOLK_HAS", "a=b c")
	dir := t.TempDir()
	layout.Files(t, dir, map[string]string{
		"env":    "\ufeff# a comment\nA=file\r\n\n  B= \"quoted\" #x \n\tYOLK_HAS\nYOLK_HAS_NOT\nC=",
		"spaces": "A=1\nB B=2\n", "empty": "=x\n", "binary": "A=\xff\n", "nul": "A=\x00",
	})
	for _, tt := range []struct {
		base, files, vars, want []string
	}{
		{vars: []string{"A=1", "B=", "C=x=y,z", "YOLK_HAS", "YOLK_HAS_NOT"}, want: []string{"A=1", "B=", "C=x=y,z", "YOLK_HAS=a=b c"}},
		{vars: []string{"A=1", "B=2", "A=3", "AA=4"}, want: []string{"B=2", "A=3", "AA=4"}},
		{vars: []string{"A=1", "A"}},
		{vars: []string{"YOLK_HAS=1", "YOLK_HAS"}, want: []string{"YOLK_HAS=a=b c"}},
		{base: []string{"A=0", "Z=1"}, vars: []string{"A="}, want: []string{"Z=1", "A="}},
		{files: []string{"env"}, vars: []string{"A=var"}, want: []string{"B= \"quoted\" #x ", "YOLK_HAS=a=b c", "C=", "A=var"}},
		{files: []string{"env"}, want: []string{"A=file", "B= \"quoted\" #x ", "YOLK_HAS=a=b c", "C="}},
	} {
		f := Env{vars: tt.vars}
		for _, name := range tt.files {
			f.files = append(f.files, filepath.Join(dir, name))
		}
		if got, err := f.Environment(tt.base); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q %q %q: got %q, %v, want %q", tt.base, tt.files, tt.vars, got, err, tt.want)
		}
	}
	for _, f := range []Env{
		{vars: []string{"=x"}}, {vars: []string{""}}, {vars: []string{"A=\x00"}}, {files: []string{dir + "/none"}},
		{files: []string{dir + "/spaces"}}, {files: []string{dir + "/empty"}}, {files: []string{dir + "/binary"}}, {files: []string{dir + "/nul"}},
	} {
		if got, err := f.Environment(nil); err == nil || !strings.Contains(err.Error(), "--env") {
			t.Errorf("%+v: %q, %v, want an error that names the option", f, got, err)
		}
	}
}
