// Package names has the names of virtio device types and feature bits, by the
// specification, for who shows them. No driver needs it.
package names

import (
	"math/bits"
	"strconv"
)

// Device returns the name of a device type (virtio 1.3 §5), "device type N" if it has
// none.
func Device(id uint32) string {
	if name := devices[id]; name != "" {
		return name
	}
	return "device type " + strconv.FormatUint(uint64(id), 10)
}

var devices = map[uint32]string{
	1: "network card", 2: "block device", 3: "console", 4: "entropy source", 5: "memory balloon",
	6: "ioMemory", 7: "rpmsg", 8: "SCSI host", 9: "9P transport", 10: "mac80211 wlan", 11: "rproc serial",
	12: "virtio CAIF", 13: "memory balloon", 16: "GPU device", 17: "timer/clock device", 18: "input device",
	19: "socket device", 20: "crypto device", 21: "signal distribution module", 22: "pstore device",
	23: "IOMMU device", 24: "memory device", 25: "sound device", 26: "file system device", 27: "PMEM device",
	28: "RPMB device", 29: "mac80211 hwsim", 30: "video encoder", 31: "video decoder", 32: "SCMI device",
	33: "NitroSecureModule", 34: "I2C adapter", 35: "watchdog", 36: "CAN device", 38: "parameter server",
	39: "audio policy device", 40: "bluetooth device", 41: "GPIO device", 42: "RDMA device", 43: "camera device",
	44: "ISM device", 45: "SPI master",
}

// Feature returns the name of a feature bit of a device type, as the specification has it
// without VIRTIO_: "NET_F_MAC", "F_VERSION_1"; "bit N" if it has none.
func Feature(id uint32, bit int) string {
	if name := reserved[bit]; name != "" {
		return name
	}
	if name := features[id][bit]; name != "" {
		return name
	}
	return "bit " + strconv.Itoa(bit)
}

// Features returns the names of all the bits that are set.
func Features(id uint32, set uint64) (list []string) {
	for ; set != 0; set &= set - 1 {
		list = append(list, Feature(id, bits.TrailingZeros64(set)))
	}
	return list
}

// reserved are the bits that belong to no device type (virtio 1.3 §6), and those of the
// legacy interface (§6.3).
var reserved = map[int]string{
	24: "F_NOTIFY_ON_EMPTY", 27: "F_ANY_LAYOUT", 28: "F_INDIRECT_DESC", 29: "F_EVENT_IDX", 30: "F_UNUSED",
	32: "F_VERSION_1", 33: "F_ACCESS_PLATFORM", 34: "F_RING_PACKED", 35: "F_IN_ORDER", 36: "F_ORDER_PLATFORM",
	37: "F_SR_IOV", 38: "F_NOTIFICATION_DATA", 39: "F_NOTIF_CONFIG_DATA", 40: "F_RING_RESET", 41: "F_ADMIN_VQ",
}

// features are those of device types, by the section "Feature bits" of each (virtio 1.3
// §5.1.3, §5.2.3 and so on), with those of the legacy interface.
var features = map[uint32]map[int]string{
	1: {
		0: "NET_F_CSUM", 1: "NET_F_GUEST_CSUM", 2: "NET_F_CTRL_GUEST_OFFLOADS", 3: "NET_F_MTU", 5: "NET_F_MAC", 6: "NET_F_GSO",
		7: "NET_F_GUEST_TSO4", 8: "NET_F_GUEST_TSO6", 9: "NET_F_GUEST_ECN", 10: "NET_F_GUEST_UFO", 11: "NET_F_HOST_TSO4",
		12: "NET_F_HOST_TSO6", 13: "NET_F_HOST_ECN", 14: "NET_F_HOST_UFO", 15: "NET_F_MRG_RXBUF", 16: "NET_F_STATUS",
		17: "NET_F_CTRL_VQ", 18: "NET_F_CTRL_RX", 19: "NET_F_CTRL_VLAN", 20: "NET_F_CTRL_RX_EXTRA", 21: "NET_F_GUEST_ANNOUNCE",
		22: "NET_F_MQ", 23: "NET_F_CTRL_MAC_ADDR", 50: "NET_F_DEVICE_STATS", 51: "NET_F_HASH_TUNNEL", 52: "NET_F_VQ_NOTF_COAL",
		53: "NET_F_NOTF_COAL", 54: "NET_F_GUEST_USO4", 55: "NET_F_GUEST_USO6", 56: "NET_F_HOST_USO", 57: "NET_F_HASH_REPORT",
		59: "NET_F_GUEST_HDRLEN", 60: "NET_F_RSS", 61: "NET_F_RSC_EXT", 62: "NET_F_STANDBY", 63: "NET_F_SPEED_DUPLEX",
	},
	2: {
		0: "BLK_F_BARRIER", 1: "BLK_F_SIZE_MAX", 2: "BLK_F_SEG_MAX", 4: "BLK_F_GEOMETRY", 5: "BLK_F_RO", 6: "BLK_F_BLK_SIZE",
		7: "BLK_F_SCSI", 9: "BLK_F_FLUSH", 10: "BLK_F_TOPOLOGY", 11: "BLK_F_CONFIG_WCE", 12: "BLK_F_MQ", 13: "BLK_F_DISCARD",
		14: "BLK_F_WRITE_ZEROES", 15: "BLK_F_LIFETIME", 16: "BLK_F_SECURE_ERASE", 17: "BLK_F_ZONED",
	},
	3: {0: "CONSOLE_F_SIZE", 1: "CONSOLE_F_MULTIPORT", 2: "CONSOLE_F_EMERG_WRITE"},
	5: {
		0: "BALLOON_F_MUST_TELL_HOST", 1: "BALLOON_F_STATS_VQ", 2: "BALLOON_F_DEFLATE_ON_OOM", 3: "BALLOON_F_FREE_PAGE_HINT",
		4: "BALLOON_F_PAGE_POISON", 5: "BALLOON_F_PAGE_REPORTING",
	},
	8:  {0: "SCSI_F_INOUT", 1: "SCSI_F_HOTPLUG", 2: "SCSI_F_CHANGE", 3: "SCSI_F_T10_PI"},
	16: {0: "GPU_F_VIRGL", 1: "GPU_F_EDID", 2: "GPU_F_RESOURCE_UUID", 3: "GPU_F_RESOURCE_BLOB", 4: "GPU_F_CONTEXT_INIT"},
	19: {0: "VSOCK_F_STREAM", 1: "VSOCK_F_SEQPACKET", 2: "VSOCK_F_NO_IMPLIED_STREAM"},
	20: {
		0: "CRYPTO_F_REVISION_1", 1: "CRYPTO_F_CIPHER_STATELESS_MODE", 2: "CRYPTO_F_HASH_STATELESS_MODE",
		3: "CRYPTO_F_MAC_STATELESS_MODE", 4: "CRYPTO_F_AEAD_STATELESS_MODE", 5: "CRYPTO_F_AKCIPHER_STATELESS_MODE",
	},
	23: {
		0: "IOMMU_F_INPUT_RANGE", 1: "IOMMU_F_DOMAIN_RANGE", 2: "IOMMU_F_MAP_UNMAP", 3: "IOMMU_F_BYPASS", 4: "IOMMU_F_PROBE",
		5: "IOMMU_F_MMIO", 6: "IOMMU_F_BYPASS_CONFIG",
	},
	24: {0: "MEM_F_ACPI_PXM", 1: "MEM_F_UNPLUGGED_INACCESSIBLE"},
	25: {0: "SND_F_CTLS"},
	26: {0: "FS_F_NOTIFICATION"},
	27: {0: "PMEM_F_SHMEM_REGION"},
	34: {0: "I2C_F_ZERO_LENGTH_REQUEST"},
	41: {0: "GPIO_F_IRQ"},
}
