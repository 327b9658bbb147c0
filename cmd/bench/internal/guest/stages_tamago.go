//go:build tamago

package guest

import "github.com/yolkos/yolk/arch/amd64"

// Stages returns the parts of the guest's boot.
func Stages() []Stage {
	var list []Stage
	all, _ := amd64.Stages()
	for _, s := range all {
		list = append(list, Stage{s.Name, s.At})
	}
	return list
}
