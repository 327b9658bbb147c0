package options

import "github.com/spf13/pflag"

// list is the value of an option that can be repeated, which remembers how it was written.
type list interface{ given() []string }

// given calls each with the options of set that were given, in the order in which they were
// defined and as they were written.
func given(set *pflag.FlagSet, each func(option, value string)) {
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Changed {
			return
		}
		values := []string{f.Value.String()}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			values = v.GetSlice()
		case list:
			values = v.given()
		}
		for _, v := range values {
			each(f.Name, v)
		}
	})
}
