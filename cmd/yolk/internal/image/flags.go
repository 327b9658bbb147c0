package image

import "strings"

// targetFlags takes the tags and linker flags out of build flags, adds them to
// those of the target, and returns the tags and all the flags to build with.
// Those of $GOFLAGS count where the command line has none, as with the go
// command. Symbols, flags of the linker, say what the image has for debuggers; link is
// linkFlags or bootedLinkFlags.
func targetFlags(flags, goflags []string, symbols, link string) (tags string, all []string) {
	tags = buildTags
	userTags, rest := takeFlag(flags, "tags")
	if len(userTags) == 0 {
		userTags, _ = takeFlag(goflags, "tags")
	}
	if n := len(userTags); n > 0 {
		words := strings.FieldsFunc(userTags[n-1], func(r rune) bool { return r == ',' || r == ' ' })
		tags = strings.Join(append([]string{tags}, words...), ",")
	}
	ldflags, rest := takeFlag(rest, "ldflags")
	if len(ldflags) == 0 {
		ldflags, _ = takeFlag(goflags, "ldflags")
	}
	all = []string{"-tags=" + tags, "-ldflags=" + linkerFlags("", symbols, link)}
	for _, value := range ldflags {
		if value = linkerFlags(value, symbols, link); "-ldflags="+value != all[len(all)-1] {
			all = append(all, "-ldflags="+value)
		}
	}
	return tags, append(all, rest...)
}

// linkerFlags adds those of the target to a value of -ldflags, which may begin
// with the packages that it is for: [pattern=]flags.
func linkerFlags(value, symbols, link string) string {
	value = strings.TrimSpace(value)
	pattern, user, ok := strings.Cut(value, "=")
	if strings.HasPrefix(value, "-") || value == "" {
		pattern, user = "", value
	} else if !ok {
		return value // the go command says what is missing
	} else {
		pattern += "="
	}
	if user = strings.TrimSpace(user); user != "" {
		user += " "
	}
	return pattern + symbols + user + link
}

// takeFlag removes a flag with a value from a list and returns its values.
func takeFlag(flags []string, name string) (values, rest []string) {
	for i := 0; i < len(flags); i++ {
		f := strings.TrimPrefix(strings.TrimPrefix(flags[i], "-"), "-")
		switch {
		case f == flags[i]: // no flag
			rest = append(rest, flags[i])
		case f == name && i+1 < len(flags):
			i++
			values = append(values, flags[i])
		case strings.HasPrefix(f, name+"="):
			values = append(values, f[len(name)+1:])
		default:
			rest = append(rest, flags[i])
		}
	}
	return values, rest
}

// tagsFlag is the flag for the last of some values of -tags, none for none.
func tagsFlag(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return []string{"-tags=" + values[len(values)-1]}
}

// lastFlag returns the last value of a flag, "" if it is not there.
func lastFlag(flags []string, name string) string {
	values, _ := takeFlag(flags, name)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
