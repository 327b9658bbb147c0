package guest

// MarkPort is the port by whose writes a log of QEMU can be told where something begins
// and ends. There is no device behind it, or one for the codes of a firmware's self-test.
const MarkPort = 0x80
