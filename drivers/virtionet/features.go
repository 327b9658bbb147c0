package virtionet

import "github.com/yolkos/yolk/drivers/nic"

// Feature bits (§5.1.3). Not used: receiving of UDP put together of fragments or
// datagrams (GUEST_UFO, GUEST_USO), sending of UDP to be cut into fragments
// (HOST_UFO), change of offloads at run time, filters by VLAN, receive-side scaling and
// hash reports, coalescing of notifications, which the event index does.
const (
	featureCsum          uint64 = 1 << 0
	featureGuestCsum     uint64 = 1 << 1
	featureMTU           uint64 = 1 << 3
	featureMAC           uint64 = 1 << 5
	featureGuestTSO4     uint64 = 1 << 7
	featureGuestTSO6     uint64 = 1 << 8
	featureGuestECN      uint64 = 1 << 9
	featureHostTSO4      uint64 = 1 << 11
	featureHostTSO6      uint64 = 1 << 12
	featureHostECN       uint64 = 1 << 13
	featureMrgRxBuf      uint64 = 1 << 15
	featureStatus        uint64 = 1 << 16
	featureCtrlVQ        uint64 = 1 << 17
	featureCtrlRx        uint64 = 1 << 18
	featureGuestAnnounce uint64 = 1 << 21
	featureMQ            uint64 = 1 << 22
	featureHostUSO       uint64 = 1 << 56 // virtio 1.3
)

const (
	guestGSO = featureGuestTSO4 | featureGuestTSO6 | featureGuestECN
	hostGSO  = featureHostTSO4 | featureHostTSO6 | featureHostECN | featureHostUSO

	features = featureCsum | featureGuestCsum | featureMTU | featureMAC | guestGSO | hostGSO | featureMrgRxBuf |
		featureStatus | featureCtrlVQ | featureCtrlRx | featureGuestAnnounce | featureMQ
)

// needs says without which feature, at least one of a set, another is not taken
// (§5.1.3.1), in an order in which each stands behind those that it needs.
var needs = []struct{ feature, oneOf uint64 }{
	// A frame that was put together takes more memory than a buffer that is not
	// merged should have.
	{guestGSO, featureMrgRxBuf},
	{guestGSO, featureGuestCsum},
	{featureGuestECN, featureGuestTSO4 | featureGuestTSO6},
	{hostGSO, featureCsum},
	{featureHostECN, featureHostTSO4 | featureHostTSO6},
	{featureCtrlRx | featureGuestAnnounce | featureMQ, featureCtrlVQ},
	{featureGuestAnnounce, featureStatus}, // the field that asks for it
}

// choose returns which of the offered features are taken.
func choose(offered uint64) uint64 {
	for _, n := range needs {
		if offered&n.oneOf == 0 {
			offered &^= n.feature
		}
	}
	return offered
}

// Device configuration (§5.1.4).
const (
	configMAC      = 0
	configStatus   = 6
	configMaxPairs = 8
	configMTU      = 10
)

// Bits of the configuration's status.
const (
	statusLinkUp   = 1
	statusAnnounce = 2
)

func (n *Net) has(feature uint64) bool { return n.dev.Features()&feature != 0 }

// Offloads implements nic.Device.
func (n *Net) Offloads() nic.Offloads {
	return nic.Offloads{
		Checksum: n.has(featureCsum),
		TSO4:     n.has(featureHostTSO4),
		TSO6:     n.has(featureHostTSO6),
		USO:      n.has(featureHostUSO),
		ECN:      n.has(featureHostECN),

		ReceiveChecksum: n.has(featureGuestCsum),
		ReceiveGSO:      n.has(featureGuestTSO4 | featureGuestTSO6),
	}
}
