package control_test

import (
	"fmt"

	"github.com/yolkos/yolk/kernel/control"
)

func Example() {
	line := control.Message{Verb: control.ShareEnded, Args: []string{"root", "killed by a signal"}}.Append(nil)
	fmt.Printf("%s", line)
	m, err := control.Parse(`share-ended root "killed by a signal"`)
	fmt.Println(m.Verb, m.Arg(1), err)
	// Output:
	// share-ended root "killed by a signal"
	// share-ended killed by a signal <nil>
}
