package dhcp_test

import (
	"fmt"

	"github.com/yolkos/yolk/netstack/dhcp"
)

func ExampleMessage() {
	m := &dhcp.Message{Kind: dhcp.Discover, XID: 42, MAC: [6]byte{2, 0, 0, 0, 0, 1}, Hostname: "guest"}
	b := m.Encode()
	fmt.Println(len(b) >= 300, b[0])
	_, err := dhcp.Decode(b) // which takes what a server says
	fmt.Println(err)
	// Output:
	// true 1
	// DHCP message with op 1, htype 1, hlen 6: no reply by Ethernet
}
