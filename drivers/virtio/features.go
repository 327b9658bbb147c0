package virtio

// Device status bits (virtio 1.2 §2.1).
const (
	StatusAcknowledge      = 1
	StatusDriver           = 2
	StatusDriverOK         = 4
	StatusFeaturesOK       = 8
	StatusDeviceNeedsReset = 64
	StatusFailed           = 128
)

// Feature bits that belong to no device type (§6).
const (
	FeatureIndirectDesc   uint64 = 1 << 28
	FeatureEventIdx       uint64 = 1 << 29
	FeatureVersion1       uint64 = 1 << 32
	FeatureAccessPlatform uint64 = 1 << 33
	FeatureOrderPlatform  uint64 = 1 << 36
)

// ringFeatures are those that this package takes up wherever a device offers
// them. Device addresses are physical addresses (no IOMMU is ever switched on),
// and amd64 orders stores for devices as for CPUs, so the two platform features
// ask for nothing more. Not supported: packed ring, in-order use, notification
// data, reset of one queue.
const ringFeatures = FeatureIndirectDesc | FeatureEventIdx |
	FeatureVersion1 | FeatureAccessPlatform | FeatureOrderPlatform

// Device types (§5).
const (
	DeviceNet        = 1
	DeviceBlock      = 2
	DeviceConsole    = 3
	DeviceEntropy    = 4
	DeviceFileSystem = 26
)
