package usernet_test

import (
	"fmt"

	"github.com/yolkos/yolk/usernet"
)

func ExampleParseForward() {
	f, err := usernet.ParseForward("127.0.0.1:5353:53/udp")
	fmt.Println(f, f.Guest, f.UDP, err)
	_, err = usernet.ParseForward("8080")
	fmt.Println(err)
	// Output:
	// 127.0.0.1:5353:53/udp 53 true <nil>
	// "8080": want [BIND:]HOST:GUEST[/udp], ports of the host and of the guest
}
